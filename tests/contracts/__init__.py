"""One suite for every cloud: the promises of the contract, through the real adapters and the real entry points."""
