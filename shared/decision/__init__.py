"""Deciding, as pure functions of a state: no clock, no input or output."""
