"""The shell around the core: answers what a run asks; knows ports, not libraries."""
