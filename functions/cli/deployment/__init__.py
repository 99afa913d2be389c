"""Deploying a bundle, looking at what a deployment would change, and removing it again."""
