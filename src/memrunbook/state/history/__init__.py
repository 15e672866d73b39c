"""The history: what readings of hosts have left, in a file of its own; a store that is a server holds it too."""

FILE = "history.sqlite"
"""Beside the store's file. What is wrong with it stops no change: no limit rests on it."""
