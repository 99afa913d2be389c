"""GitHub: workflows that train, and workflows that follow a training, started by `repository_dispatch`."""
