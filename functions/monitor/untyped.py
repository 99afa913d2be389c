"""Names for values of libraries that come without types, so that a signature says what it means."""

from typing import Any

Frame = Any
"""A data frame of pandas."""

DataSet = Any
"""Data as Evidently takes them."""

FileSystem = Any
"""A file system of fsspec."""
