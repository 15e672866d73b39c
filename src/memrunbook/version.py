"""The version, as a constant: reading package metadata costs more than the whole start-up budget."""

__version__ = "0.2.0.dev0"
