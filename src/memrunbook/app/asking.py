"""Who asked for a command on the pages, where the chain of what was asked for there says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from memrunbook.runtime.clock import SystemClock
from memrunbook.state.asked import asked_by_hash
from memrunbook.state.ownership import is_shared, user_name

VARIABLE = "RUNBOOK_ASKED"
"""Names a record of that chain; what it says besides is not believed, for anybody can set a variable."""
LASTS = 600.0
"""Seconds in which what was asked for is begun."""


def asked_on_pages(state: Path, what: Literal["apply", "alert"], digest: str) -> str:
    """Who asked for this with this very file (its SHA-256) of late; empty where nobody did."""
    head = os.environ.get(VARIABLE, "")
    one = asked_by_hash(state, head) if head else None
    if one is None or (one.what, one.digest) != (what, digest):
        return ""
    server = user_name(os.geteuid()) if is_shared(state) else ""
    return one.told(server) if 0.0 <= SystemClock().now().utc - one.at <= LASTS else ""
