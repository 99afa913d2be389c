"""Tests of what goes to GitHub."""
