"""Runs that workers carry out while these are killed, the store is restarted and connections are cut: nothing twice."""
