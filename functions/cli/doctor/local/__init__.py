"""The checks of `doctor` on this machine."""
