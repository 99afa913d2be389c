"""Ledger, training service, dead letters and event bus in memory, with faults on demand."""
