"""The drift monitor: compares data with Evidently, publishes the report, tells people and asks for the training."""
