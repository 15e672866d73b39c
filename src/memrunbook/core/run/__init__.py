"""A run: the generator that asks, the steps it goes through, and what it remembers."""
