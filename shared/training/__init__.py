"""Carries out decisions: starts trainings, records their ends, follows up, and sweeps."""
