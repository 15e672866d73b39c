"""What is said of a host that let us in and stopped answering."""

from __future__ import annotations

from memrunbook.core.errors import SessionLost


def stopped_answering(seconds: float) -> SessionLost:
    """That its shell has said nothing for so many seconds: nothing can be judged there."""
    return SessionLost(
        f"logged in, but the shell stopped answering: nothing was read in {seconds:.0f} s",
        hint="the host may be thrashing: wait longer with --patience 5m, or use its console",
    )
