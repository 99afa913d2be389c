"""The Google Cloud adapters on their own: faults, limits and wrong answers, which the emulators cannot show."""
