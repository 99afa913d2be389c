"""Tests of what is deployed: the template, and what the build makes of it."""
