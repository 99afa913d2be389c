"""The drift monitor, in an environment of its own; see `docs/development.md`."""
