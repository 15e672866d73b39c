"""Pages in a browser: what is known, and plans that wait, to approve, decline and apply."""
