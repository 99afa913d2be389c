"""The core: one trigger in, at most one training out. Standard library only."""
