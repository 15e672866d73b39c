"""What hosts said is parsed and judged one host at a time, however many are at work."""

from __future__ import annotations

import threading

JUDGING = threading.Lock()
"""Held while a runbook is loaded, answers are parsed, a snapshot is judged or a run decides: never while one waits.

That is computing alone, of which Python does one at a time anyway. Threads that compute at once ask each other for
their turn every 5 ms, and those that wait for a lock ask nobody. What evaluates
conditions is no Python, and nowhere says that several threads may be in it at once.
"""
