"""The drift monitor, in an environment of its own; see `functions/monitor/README.md`."""
