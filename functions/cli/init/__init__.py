"""`retrain init`: the first files of a folder of the user's own."""
