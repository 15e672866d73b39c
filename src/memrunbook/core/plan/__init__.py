"""Diagnosis and planning: pure functions of runbook and snapshot."""
