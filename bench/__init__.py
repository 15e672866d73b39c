"""Benchmarks: ratios of what is compared in one run, never timed tests."""
