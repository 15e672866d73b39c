"""What a run remembers: one frozen type for each thing, which says of itself in a sentence what happened."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.plan import Plan
from memrunbook.core.runbook.condition import State

StepState = Literal[
    "done",  # carried out, proven, and nothing else got worse
    "executed",  # carried out; nothing says what would prove it
    "not_needed",  # it is as it should be already, or the incident is over
    "blocked",  # a guard, a missing fact or the action itself says that it may not or cannot run
    "refused",  # a person or a rule of safety said no
    "skipped",  # a person passed over it, or the run ended before it
    "failed",  # not carried out, or not proven
    "undone",  # not proven, and taken back
    "unknown",  # begun, and its end was not seen
    "interrupted",  # a person ended the run while it was under way
]
Outcome = Literal[
    "healthy",  # the incident does not apply: nothing was done
    "resolved",  # it is over, and has stayed over for its hold time
    "improved",  # it no longer applies, but is not over as the runbook wants it
    "unresolved",  # it still applies
    "failed",  # a step failed
    "refused",  # a person or a rule of safety said no
    "unreachable",  # the host could not be worked with
    "unknown",  # whether it applies, or how a step ended, is not known
    "interrupted",  # a person ended the run
    "not_begun",  # so many other hosts had failed, or a person had ended the run, before anything was done here
    "restored",  # what another run had changed is as it was before, as far as it was this run's to take back
]
SAID: dict[State, str] = {
    "holds": "the incident applies",
    "fails": "the incident does not apply",
    "unknown": "it is unknown whether the incident applies",
}
Signals = dict[str, Any]
WHERE = ("memory.total_bytes", "memory.available_bytes", "memory.places")
"""The metrics that say where the memory of a host is: kept of the host as a run left it."""


class Diagnosed(Struct, frozen=True, tag="diagnosed"):
    """The diagnosis and the plan that the run began with, the signals before it, and the metrics that are kept."""

    diagnosis: RunbookDiagnosis
    plan: Plan
    signals: Signals
    kept: dict[str, Any] = {}

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        count = len(self.plan.changes)
        said = SAID[self.diagnosis.incident.state]
        return f"{self.plan.runbook}: {said}; {count} step{'s' * (count != 1)} to run"


class StepFinished(Struct, frozen=True, tag="step-finished", kw_only=True):
    """How one step (or one item of it) ended. `open` marks a once-only change whose outcome is unknown.

    `left` marks a change that is, or may be, in force although it is not proven. `back_at` is when the host itself
    takes back what is in force, in seconds since 1970; 0 where it does not.
    `rule` marks a refusal by a rule of safety: unlike a person's no, it ends nothing but its step.
    `before` and `after` hold the runbook's signals and what the step should move; `after` is empty where nothing was
    read after it. `effect` says so where it moved none of that.
    """

    id: str
    name: str
    action: str
    item: str = ""
    state: StepState
    why: str = ""
    summary: str = ""
    seconds: float = 0.0
    before: Signals = {}
    after: Signals = {}
    evidence: str = ""
    hint: str = ""
    open: bool = False
    effect: str = ""
    left: bool = False
    back_at: float = 0.0
    rule: bool = False

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        label = f"{self.id}/{self.item}" if self.item else self.id
        return f"{label}: {self.state}{': ' if self.why else ''}{self.why}"


class RunFinished(Struct, frozen=True, tag="run-finished"):
    """How the run ended on this host, the signals after it, and where the memory then was (metrics of `WHERE`)."""

    outcome: Outcome
    why: str = ""
    signals: Signals = {}
    hint: str = ""
    where: Signals = {}

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        return f"{self.outcome}{': ' if self.why else ''}{self.why}"


class StillHeld(Struct, frozen=True, tag="still-held"):
    """What the run leaves frozen or changed for a while, or found so: a sentence for each."""

    held: tuple[str, ...]

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        return f"held on this host now: {'; '.join(self.held)}"


class LockBroken(Struct, frozen=True, tag="lock-broken"):
    """Whose lock on the host was taken over: its owner (run and actor). `stale`: its shell was gone already."""

    owner: str
    shell: Literal["stale", "killed"]

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        shell = "its shell was gone" if self.shell == "stale" else "its shell was ended; a command of it may live on"
        run, _, who = self.owner.partition(" ")
        return f"took over the lock of run {run}{' by ' if who else ''}{who}: {shell}"


class Outdated(Struct, frozen=True, tag="outdated"):
    """What is not as it was when the plan was approved that is being applied, both sides in words."""

    what: str
    approved: str
    now: str

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        return f"{self.what}: approved: {self.approved}; now: {self.now}"


class LookedAt(Struct, frozen=True, kw_only=True, tag="looked-at"):
    """What a look found of a step that some run had begun, and whose end nobody had seen.

    `record` is the hash of the question that began it. `not-done`: it was never begun, or it had no effect. `again`: it
    was not known, and a person let it happen once more.
    """

    run: str
    step: str
    action: str
    target: str
    summary: str
    started: str
    record: str
    found: Literal["done", "failed", "not-done", "unknown", "again"]
    why: str = ""
    once: bool = True

    @property
    def settled(self) -> bool:
        """True where nothing is open any more."""
        return self.found != "unknown"

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        word = {"not-done": "not done", "again": "unknown, and let happen again"}.get(self.found, self.found)
        why = f": {self.why}" if self.why else ""
        what = f"{self.step} of run {self.run} ({self.summary}, started {self.started[11:19]} UTC)"
        return f"looked at {what}: {word}{why}"


class UndoPlanned(Struct, frozen=True, tag="undo-planned"):
    """What is to be taken back of what the run `of` had changed, the newest change first."""

    of: str
    plan: Plan

    @property
    def told(self) -> str:
        """What happened, in a sentence."""
        count = len(self.plan.changes)
        return f"{count} of {len(self.plan.steps)} change{'s' * (len(self.plan.steps) != 1)} of {self.of} to take back"


Event = Diagnosed | StepFinished | StillHeld | LookedAt | UndoPlanned | Outdated | LockBroken | RunFinished
