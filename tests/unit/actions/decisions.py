"""Short ways to say what a decision must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from memrunbook.core.action.action import Action, Blocked, Change, NotNeeded
from memrunbook.core.reading.snapshot import Snapshot


@dataclass(frozen=True)
class Use:
    """One way to use an action, and what is other than on the healthy host, so that it proposes a change there.

    Each `test_<action>.py` has one as `USE`: the contract of all actions is tested by it.
    """

    action: Action
    on: Mapping[str, object] = field(default_factory=dict)


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
