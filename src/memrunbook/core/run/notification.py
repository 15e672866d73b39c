"""What somebody is told who does not sit at the keyboard."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Occasion = Literal[
    "needs-approval", "failed", "unresolved", "refused", "unreachable", "breaker-open", "dead-man", "restored"
]
"""Why: a plan waits for a person; a run ended badly; limits hold a runbook back; the scheduler stopped, or goes again.
"""


class Notification(Struct, frozen=True, kw_only=True):
    """One message, without markup and already without secrets.

    `verdict` is the one line that a person reads first, `evidence` the lines that it rests on, `command` what to type
    to go on; `at` is in seconds since 1970 (UTC). `key` is the same for the same trouble: the same key twice is one
    message. `covers` are the keys that it stands for, where it says what several hosts have to say.
    """

    occasion: Occasion
    key: str
    at: float
    verdict: str
    host: str = ""
    runbook: str = ""
    schedule: str = ""
    run: str = ""
    evidence: tuple[str, ...] = ()
    command: str = ""
    covers: tuple[str, ...] = ()
