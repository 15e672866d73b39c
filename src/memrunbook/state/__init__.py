"""What is kept on disk: journals, the ledger, keys."""
