"""How the tables came to be what they are, one file a change; the file's docstring says why."""

NEWEST = "nodes"
"""The last one of `versions/`: a database that stands there is left alone, without a look at the files."""
