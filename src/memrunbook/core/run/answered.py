"""What came of an alert: what the host that it names was found to have, and what was done about it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AlertAnswer = Literal[
    "resolved",  # it does not fire any more: nothing is done
    "unknown-alert",  # no entry of config.yaml is about it
    "unknown-host",  # its host is none of the inventory
    "counted",  # it was answered a while ago
    "healthy",  # nothing is wrong on its host now
    "other",  # something is wrong there, but not what its runbook is for
    "not-judged",  # whether its runbook's incident applies cannot be known
    "unreachable",  # its host was not read
    "joined",  # another alert for this host led to a run: one at a time
    "planned",  # its runbook's incident was found; a plan waits for a person
    "run",  # its runbook was run
]


class AnsweredAlert(Struct, frozen=True, kw_only=True):
    """One alert, and what came of it, in words in `why`.

    `seen` is how often it was told since it was answered, `found` the runbooks whose incident its host has, `outcome`
    how the run ended there, and `plan` the file of the plan that waits.
    """

    alert: str
    host: str = ""
    runbook: str = ""
    answer: AlertAnswer
    why: str
    seen: int = 1
    found: tuple[str, ...] = ()
    run: str = ""
    outcome: str = ""
    plan: str = ""
