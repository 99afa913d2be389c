"""This machine as a cloud: SQLite holds the state and the event bus, and trainings are processes."""
