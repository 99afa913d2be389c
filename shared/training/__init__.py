"""What acts on decisions: starting a training, recording its end, following up, and sweeping."""
