"""One file an action: what it would change on a host, decided on a snapshot."""
