"""What is asked of a host and what was read: facts, metrics, snapshots, trends."""
