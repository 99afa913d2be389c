"""The command `retrain`: one module a command."""
