"""What a log may be wrapped in, and how each of it is taken off; `source.plain` puts them in order."""
