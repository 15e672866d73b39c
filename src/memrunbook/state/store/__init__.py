"""The store: what several runs, users and control nodes must know of one another; SQLite, or PostgreSQL by its URL."""

FILE = "store.sqlite"
"""In the state directory; who only asks whether it is there loads no library of databases."""
