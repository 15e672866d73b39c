"""Reads out-of-memory events and failed allocations out of a kernel log of any Linux since 2.6."""
