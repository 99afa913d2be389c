"""The checks of `doctor` on Google Cloud."""
