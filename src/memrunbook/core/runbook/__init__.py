"""The runbook language: its types, its conditions, and a runbook ready to be judged."""
