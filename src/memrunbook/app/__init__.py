"""The use cases: plain functions with frozen arguments that return values and print nothing."""
