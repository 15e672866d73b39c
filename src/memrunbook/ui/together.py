"""One answer for several hosts: the same change of low risk on the hosts of a batch, each of them named before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from msgspec import structs

from memrunbook.core.action.action import Risk
from memrunbook.core.run.request import AskApproval
from memrunbook.ui.words import planned_proof

ALL = "a"
"""What a person types for it."""
Same = tuple[str, str, str, str, tuple[str, bool, str] | None]
"""A step, the digest of its change without what tells one host from another, and what else its gate says of it: what it
costs, by what it is proven, and how it would be taken back."""


@dataclass(frozen=True)
class SharedYes:
    """A yes at the gate of a host, and the other hosts that were named there."""

    host: str
    others: frozenset[str]


@dataclass
class Together:
    """Who is in which batch of a run, and what was said so far; asked by one host at a time.

    Nothing is covered but exactly the change that was shown, on hosts that were named when it was. `over` grows by the
    hosts on which nothing more is done: they are not named.
    """

    batches: Sequence[Sequence[str]] = ()
    over: Collection[str] = ()
    _given: dict[Same, list[SharedYes]] = field(default_factory=dict, init=False)
    _asked: dict[Same, set[str]] = field(default_factory=dict, init=False)

    def others(self, host: str, question: AskApproval) -> tuple[str, ...]:
        """The hosts that one answer here could be for, too: those of the batch that may still be asked about it."""
        same = _same(question)
        batch: Sequence[str] = next((batch for batch in self.batches if host in batch), ())
        if same is None:
            return ()
        asked = self._asked.get(same, set())
        return tuple(name for name in batch if name != host and name not in asked and name not in self.over)

    def covers(self, host: str, question: AskApproval) -> str:
        """Where a person said yes to this for this host, at the gate of another one; empty where nobody did.

        From now on the host counts as asked.
        """
        same = _same(question)
        if same is None:
            return ""
        given = next((one for one in self._given.get(same, ()) if host in one.others), None)
        again = host in self._asked.setdefault(same, set())
        self._asked[same].add(host)
        return f"said at the gate of {given.host} for {host} by name" if given and not again else ""

    def given(self, host: str, question: AskApproval) -> str:
        """Remembers a yes for all; the words for it, empty where there is nobody else that it could be for."""
        same, others = _same(question), self.others(host, question)
        if same is None or not others:
            return ""
        self._given.setdefault(same, []).append(SharedYes(host, frozenset(others)))
        return f"said for {', '.join((host, *others))} at once"


def _same(question: AskApproval) -> Same | None:
    """What must be the same on another host; None for what each host is asked about on its own."""
    change = question.step.change
    alone = question.offered or question.changed or question.looks or question.limits
    if change is None or change.risk > Risk.LOW or alone:
        return None
    undo = change.undo
    back = None if undo is None else (undo.mode, undo.lasting, undo.costs)
    proof = planned_proof(question.step)
    return question.step.label, structs.replace(change, identity="").digest, change.costs, proof, back
