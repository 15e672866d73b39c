"""The language: frozen types and pure functions; no I/O of any kind."""
