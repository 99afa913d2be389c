"""Programs that run a function in a process of its own: each handles the events of a file, and reports its figures."""
