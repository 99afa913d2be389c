"""The command `doctor`: what must exist and be permitted before a trigger becomes a training."""
