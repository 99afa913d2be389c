"""`retrain build`: the bundle of a cloud; the Makefile and SAM build with the same code."""
