"""The checks of `doctor` on AWS."""
