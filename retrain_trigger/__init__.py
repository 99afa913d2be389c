"""The installed package: a launcher, and everything else in `_bundle`, where it is not importable by accident."""
