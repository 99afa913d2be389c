"""The client, the launcher and the dispatcher for GitHub, and the example workflows."""
