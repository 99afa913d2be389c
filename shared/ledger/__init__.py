"""A model's state as a document in the ledger: loading it, and saving it by compare-and-swap."""
