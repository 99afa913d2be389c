"""The fourth cloud: this machine. SQLite holds the state and the event bus, trainings are processes."""
