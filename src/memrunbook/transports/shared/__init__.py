"""What several transports use, and the parts of the larger ones."""
