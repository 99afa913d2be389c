"""The checks of `doctor` on Azure."""
