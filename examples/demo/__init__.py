"""The demo: from a trigger to exactly one training, on a cloud that runs on this machine."""
