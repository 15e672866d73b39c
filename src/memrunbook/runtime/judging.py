"""Hosts are judged one at a time, however many are at work."""

from __future__ import annotations

import threading

JUDGING = threading.Lock()
"""Held while a snapshot is judged or a run decides: that is computing alone, of which Python does one at a time anyway.

What evaluates conditions is no Python, and nowhere says that several threads may be in it at once.
"""
