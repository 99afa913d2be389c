"""What a cold start costs, beside functions without this project's promises: `make bench`."""
