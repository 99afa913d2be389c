"""Names for values of libraries that come without types, so that a signature says what it means."""

from typing import Any

Frame = Any
"""A data frame of pandas."""

Series = Any
"""A column of a data frame."""

Table = Any
"""A table of pyarrow."""

Batch = Any
"""A record batch of pyarrow."""

Column = Any
"""A chunked array of pyarrow."""

DataType = Any
"""A type of pyarrow."""

Numbers = Any
"""An array of numpy."""

DataSet = Any
"""Data as Evidently takes them."""

Reader = Any
"""A reader of CSV that is an iterator of record batches."""

FileSystem = Any
"""A file system of fsspec."""
