"""Pages that show what is known, in a browser: they change nothing."""
