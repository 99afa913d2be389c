"""Deploying to AWS: a change set that names every parameter of the template."""
