"""The adapters and the entry file of Azure."""
