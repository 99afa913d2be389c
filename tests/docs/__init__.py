"""The documents against the project: samples parse, commands exist, tables equal the code. A new page is covered."""
