"""Stand-ins for the cloud services that no emulator serves well, for the tests and the demo."""
