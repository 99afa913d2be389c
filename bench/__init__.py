"""The cost of a cold start, beside functions without this project's promises: `make bench`."""
