"""`retrain console`: the console of a deployment on loopback."""
