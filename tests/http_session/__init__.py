"""The HTTP session that Google, its metadata server and GitHub share, over real sockets."""
