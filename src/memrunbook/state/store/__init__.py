"""The store: what several runs, users and control nodes must know of one another; SQLite, or PostgreSQL by its URL."""
