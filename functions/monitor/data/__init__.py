"""Reading data: files, formats, columns, samples."""
