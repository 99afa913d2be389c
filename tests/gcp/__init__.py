"""The Google Cloud adapters by themselves: faults, limits, wrong answers; what the emulators cannot show."""
