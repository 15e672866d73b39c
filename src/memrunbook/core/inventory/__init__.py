"""Many hosts by name: what an inventory says of them, and the patterns that choose among them."""
