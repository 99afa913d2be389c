"""Tests of the core, without any cloud."""
