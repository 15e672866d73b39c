"""Short ways to say what a decision must be."""

from __future__ import annotations

from memrunbook.core.action.action import Action, Blocked, Change, NotNeeded
from memrunbook.core.reading.snapshot import Snapshot


def change(action: Action, snapshot: Snapshot) -> Change:
    """The change that an action proposes."""
    decision = action.decide(snapshot)
    assert isinstance(decision, Change), decision
    return decision


def blocked(action: Action, snapshot: Snapshot) -> str:
    """Why an action is blocked; each has a hint."""
    decision = action.decide(snapshot)
    assert isinstance(decision, Blocked), decision
    assert decision.hint
    return decision.why


def not_needed(action: Action, snapshot: Snapshot) -> str:
    """Why an action is not needed."""
    decision = action.decide(snapshot)
    assert isinstance(decision, NotNeeded), decision
    return decision.why
