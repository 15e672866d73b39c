"""Whole recorded hosts, and what is said of each; `python -m tests.kernel.record` makes the recordings."""
