"""Whether config.yaml forbids a change, whoever asks for it and whatever was allowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from memrunbook.core.action.action import IN_ARGUMENTS, Blocked, Change, Repeat, Risk
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.rules import HostRules, Untouchable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean

WORD = re.compile(r"[\w@.:\\-]+")
"""A part of a command line that may name a unit, a process or a container."""
NOBODY = "no option and no gate lifts this: act by hand, or have the line changed"


def forbidden(change: Change, rules: HostRules, snapshot: Snapshot | None = None) -> Blocked | None:
    """What forbids a change on the host that these rules are for; None where nothing does, and for what only reads.

    With a snapshot the processes of the unit that is acted on count too, as far as they were read.
    """
    if change.repeat is Repeat.READ and change.risk is Risk.NONE:
        return None
    for one in rules.untouchable:
        if one.kind == "host":
            return _untouchable(one, "this host")
        for kind, name in _targets(change, snapshot):
            if one.matches(kind, name):
                shown = clean(name)
                return _untouchable(one, f"{shown}, which the command names" if kind == "word" else f"{kind} {shown}")
    if change.risk > Risk[rules.risk.upper()]:
        return Blocked(f"{rules.risk_why}: this is of risk {change.risk.word}", rules.risk_hint, rule=True)
    return None


def _untouchable(one: Untouchable, what: str) -> Blocked:
    because = f": {one.why}" if one.why else ""
    return Blocked(f"{one.where} says that nothing may ever act on {what}{because}", NOBODY, rule=True)


def _targets(change: Change, snapshot: Snapshot | None) -> Iterable[tuple[str, str]]:
    """Everything by kind and name that a change acts on."""
    for said in change.acts_on:
        kind, _, name = said.partition(":")
        if name:
            yield kind, name
    if IN_ARGUMENTS in change.acts_on:
        yield from (("word", word) for argument in change.args for word in WORD.findall(argument))
    if not change.touches:
        return
    yield "unit", change.touches
    processes = snapshot.value("processes.all") if snapshot is not None else ()
    for process in () if isinstance(processes, Unavailable) else processes:
        if process.unit == change.touches:
            yield "process", process.name
