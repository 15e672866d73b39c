"""What holds a run back: the kill switch, limits by what was done before, one host at a time for the same change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import structs

from memrunbook.app.outage import Outage
from memrunbook.app.ruling import NO_FREEZE, Freezes
from memrunbook.app.stored import Stored
from memrunbook.core.action.action import Change
from memrunbook.core.errors import Refused, RunbookError
from memrunbook.core.instant import Instant
from memrunbook.core.plan.forbidden import forbidden
from memrunbook.core.plan.limits import Here, Limits, held_back, is_at_a_peer
from memrunbook.core.reading.rules import NO_RULES, HostRules
from memrunbook.core.run.applied import ApprovedPlan
from memrunbook.core.units import format_duration
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.ports import Clock
from memrunbook.runtime.redaction import redact
from memrunbook.state.store.glance import surely_on

if TYPE_CHECKING:
    # Who only looks, and finds the switch on, loads no library of databases.
    from memrunbook.state.store.changes import Store
    from memrunbook.state.store.switch import Switch

ON = "runbook on ends that; what was planned is saved with: runbook plan --out FILE"


@dataclass(frozen=True)
class HostBrakes:
    """The brakes of one run on one host (port `Brakes` of the runtime); without `limits` the switch alone.

    `machine` is the host's own mark, known once it was read: it is one host by whatever name it is reached.
    `approved` is the saved plan that is carried out: what it allows is allowed in its time alone. `peers` are the
    hosts that must not be disturbed together with this one; `waits` is told at each look for whom it waits. A store
    that is away is waited for as `outage` says.
    """

    store: Store
    clock: Clock
    run: str
    host: str
    runbook: str
    actor: str
    hosts: int = 1
    machine: Callable[[], str] = str
    limits: Limits | None = field(default_factory=Limits)
    held: Freezes = NO_FREEZE
    rules: HostRules = NO_RULES
    approved: ApprovedPlan | None = None
    peers: tuple[str, ...] = ()
    waits: Callable[[str], object] = str
    outage: Outage = field(default_factory=Outage)

    def forbids(self, change: Change) -> Refused | None:
        """The switch, a freeze, the time of a saved plan, or a line of config.yaml: anew before each effect."""
        from memrunbook.state.store.switch import switch_of

        switch = self.outage.answer(lambda: switch_of(self.store), self.clock)
        now = self.clock.now().utc  # by when it answered
        if switch.holds(now):
            return Refused(off_words(switch, now), hint=ON)
        if (frozen := self.held.frozen(self.host, now)) is not None:
            return frozen
        if self.approved is not None and (late := self.approved.late(change, self.clock.now())) is not None:
            return late
        blocked = forbidden(change, self.rules)
        return None if blocked is None else Refused(blocked.why, hint=blocked.hint)

    def reasons(self, change: Change, besides: Sequence[str] = ()) -> tuple[str, ...]:
        """Why a person's word is needed for a change, whatever was allowed beforehand.

        What the runs `besides` began of it does not count: it is not known whether that happened.
        """
        if self.limits is None:
            return ()
        known, here = _shown(change), self._here(besides)
        history = self.outage.answer(lambda: self.store.history(known, here), self.clock)
        return held_back(known, here, history, self.limits)

    def begin(self, change: Change, step: str, *, consented: bool, besides: Sequence[str] = ()) -> int | str:
        """Claims the change and returns its number; in words who is at the same on another host, where one is.

        Refused where it is beyond the limits by now, unless a person `consented` to that.
        """
        limits, here = None if consented else self.limits, self._here(besides)
        known, label = _shown(change), redact(step)
        # The same moment however often it is asked: by that the store knows a beginning whose answer was lost.
        begun = self.outage.answer(lambda: self.store.begin(known, label, here, self.actor, limits), self.clock)
        if isinstance(begun, int):
            return begun
        who = "its peer" if is_at_a_peer(begun, change, here) else "one host at a time for that"
        doing = f"run {begun.run} by {begun.actor} is at {begun.target} there ({begun.action})"
        words = f"{begun.host}, {who}: {doing} since {_clock(begun.begun)}"
        self.waits(words)
        return words

    def end(self, number: int, state: str) -> None:
        """Remembers how the change ended, or tells that the store does not know it: its journal does."""
        now = self.clock.now().utc
        self.outage.remember(
            f"{self.host}: the end of a change", lambda: self.store.end(number, state, now), self.clock
        )

    def ran(self, outcome: str, *, changed: bool) -> None:
        """Remembers how the run ended here, or tells that the store does not know it."""
        here = self._here()
        self.outage.remember(
            f"{self.host}: the end of the run", lambda: self.store.ran(here, outcome, changed=changed), self.clock
        )

    def _here(self, besides: Sequence[str] = ()) -> Here:
        return Here(
            run=self.run,
            host=self.host,
            runbook=self.runbook,
            now=self.clock.now().utc,
            hosts=self.hosts,
            besides=tuple(besides),
            machine=self.machine(),
            peers=self.peers,
        )


def _shown(change: Change) -> Change:
    """A change as the store knows it: what looks like a secret in its target is hidden."""
    return structs.replace(change, target=redact(change.target))


def switched_off(stored: Stored) -> str:
    """Why nothing may be changed now, for who only looks; where the store does not answer, that this is not known.

    Where there is no store yet, none is made: nobody has switched anything off.
    """
    if stored.missing or (stored.file is not None and surely_on(stored.file)):
        return ""
    from memrunbook.state.store.switch import switch_of

    now = SystemClock().now().utc
    try:
        with closing(stored.open()) as store:
            switch = switch_of(store)
    except RunbookError as error:
        return f"whether changes are switched off is not known: {error.message}"
    return off_words(switch, now) if switch.holds(now) else ""


def off_words(switch: Switch, now: float) -> str:
    """A sentence: changes are switched off by ada since 2026-11-29 03:10 UTC: a release."""
    left = (
        ""
        if switch.until is None
        else f", until {_clock(switch.until)} (for {format_duration(switch.until - now)} more)"
    )
    why = f": {switch.reason}" if switch.reason else ""
    return f"changes are switched off by {switch.who} since {_clock(switch.at)}{left}{why}"


def _clock(utc: float) -> str:
    return f"{Instant(utc, 0.0).isoformat()[:16].replace('T', ' ')} UTC"
