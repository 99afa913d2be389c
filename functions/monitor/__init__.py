"""The drift monitor: compares data with Evidently, publishes the report, notifies people and requests the training."""
