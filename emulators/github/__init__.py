"""A stand-in for api.github.com: `repository_dispatch` over real HTTP, with the service's limits and failures."""

from emulators.github.standin import Dispatched, GitHubStandIn

__all__ = ["Dispatched", "GitHubStandIn"]
