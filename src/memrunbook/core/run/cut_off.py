"""Endings that a lost host, a person, or nobody at a gate forced on a run: who goes on begins where it was stopped.

Such an ending says what was not reached, and which step is open. It stays in the journal; what comes behind it says
more, and stands instead of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

R = TypeVar("R", bound=Mapping[str, Any])
ENTIRE = frozenset({"unreachable", "not_begun", "interrupted"})
"""Outcomes that are an ending of that kind whatever stands before them."""
LOST = ENTIRE | {"unknown"}
"""Outcomes of hosts that did not answer any more, that were stopped or not begun, or whose step in flight is open."""
UNCHANGED = "nothing was changed"
"""How the reason of a step begins that was stopped before its command was."""
UNPROVEN = "carried out, but not proven"
"""How the reason of a step begins that was stopped, or lost its host, once its command had been begun."""
NOT_REACHED = "not reached: "
"""How the reason of a step begins that was not come to because the host was lost, or the run stopped."""

UNANSWERED = "nobody can be asked: whoever ordered this run is not there any more"
"""The reason of a step whose gate nobody was there to answer: once somebody is, it is asked again."""
REFUSED = f"{NOT_REACHED}the run was refused"
"""The reason of a step that was not come to because of a refusal, whose words are said once: where the host ends."""


def without_endings(records: Iterable[R], *, the_last: bool = False) -> list[R]:
    """A host's journal without the endings behind which it went on; with `the_last` also without the newest one.

    One that was cut off in its middle is an ending too, where whoever went on began behind it; and none is where the
    same run went on with its work.
    """
    kept: list[R] = []
    begun: int | None = None
    ended = unanswered = False
    for record in records:
        event = _event(record)
        if begun is not None and ((ended and _goes_on(record)) or record.get(ATTEMPT)):
            del kept[begun:]
            begun, ended, unanswered = None, False, False
        elif begun is not None and not ended and _is_work(record):
            begun, unanswered = None, False
        if event.get("type") == "step-finished":
            begun = len(kept) if begun is None and _is_end(event) else begun
            unanswered = unanswered or is_unanswered(event)
        if event.get("type") == "run-finished":
            ended = True
            if event.get("outcome") not in LOST and not (unanswered and event.get("outcome") == "refused"):
                begun = None
            elif begun is None and event.get("outcome") in ENTIRE:
                begun = len(kept)
        kept.append(record)
    return kept[:begun] if the_last and begun is not None else kept


def is_unproven(event: Mapping[str, Any]) -> bool:
    """True for the end of a step that was carried out, and stopped or lost before anybody knew whether it helped."""
    state, why = event.get("state"), str(event.get("why", ""))
    return bool(event.get("left")) and (state == "interrupted" or (state == "unknown" and why.startswith(UNPROVEN)))


def is_unanswered(event: Mapping[str, Any]) -> bool:
    """True for the end of a step that was refused because nobody was there who could be asked."""
    return event.get("state") == "refused" and str(event.get("why", "")).startswith(UNANSWERED)


ATTEMPT = "invocation"
"""What the first record has of whoever begins with a host, or goes on with it, and no other."""


def _event(record: Mapping[str, Any]) -> Mapping[str, Any]:
    return record.get("record") or {} if record.get("event") == "recorded" else {}


def _goes_on(record: Mapping[str, Any]) -> bool:
    """False for what belongs to the ending itself: the lock that is given back."""
    return (record.get("request") or {}).get("type") == "ReadFacts" or bool(_event(record))


def _is_work(record: Mapping[str, Any]) -> bool:
    """True for what no ending holds: a gate, a command, and the end of a step that was carried out."""
    event = _event(record)
    carried_out = event.get("type") == "step-finished" and event.get("state") in ("done", "executed", "failed")
    return carried_out or (record.get("request") or {}).get("type") in ("AskApproval", "Execute")


def _is_end(event: Mapping[str, Any]) -> bool:
    """True for a step that was under way, or not come to, when the host was lost or the run stopped."""
    state, why = event.get("state"), str(event.get("why", ""))
    under_way = state == "interrupted" or (state == "unknown" and bool(event.get("open") or event.get("left")))
    return under_way or is_unanswered(event) or (state == "skipped" and why.startswith(NOT_REACHED))
