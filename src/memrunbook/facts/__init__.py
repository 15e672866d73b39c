"""One file a fact: what it asks of a host and how the answer is read."""
