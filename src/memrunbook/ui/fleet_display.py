"""Shows on a terminal what many hosts are doing, in a region that goes away; only what needs attention gets a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from memrunbook.core.instant import Instant
from memrunbook.core.run.event import (
    Diagnosed,
    Event,
    LockBroken,
    LookedAt,
    Outcome,
    Outdated,
    RunFinished,
    StepFinished,
    UndoPlanned,
)
from memrunbook.core.run.failures import WENT_WRONG
from memrunbook.core.run.request import AskApproval, Execute, ReadFacts, Record, Request, Turn, Wait
from memrunbook.runtime.collect import PROBE_SECONDS
from memrunbook.ui.block import Block, Span, Text, line
from memrunbook.ui.fleet_progress import HostNow, HostState, fleet_lines
from memrunbook.ui.layout import lay_out
from memrunbook.ui.progress import event_line, request_words
from memrunbook.ui.recap import why_of
from memrunbook.ui.region import Region
from memrunbook.ui.report import finished_line
from memrunbook.ui.screen import Screen
from memrunbook.ui.undo import planned_view
from memrunbook.ui.words import plural

TOLD: Mapping[HostState, Outcome] = {
    "refused": "refused", "unresolved": "unresolved", "failed": "failed", "unreachable": "unreachable",
    "unknown": "unknown", "improved": "improved", "resolved": "resolved", "healthy": "healthy", "restored": "restored",
}  # fmt: skip
"""Ends that are told at once. Whoever pressed Ctrl-C knows of the interrupted ones; who is not begun has one line."""


class FleetDisplay:
    """The hosts of one command, by name. Use it as a context manager; safe with several threads.

    `verbose`: everything that happens gets its line. `clock` gives the time. `note` is drawn above the hosts.
    """

    note = ""

    def __init__(
        self, screen: Screen, clock: Callable[[], Instant], hosts: Iterable[str], *, verbose: bool = False
    ) -> None:
        self._clock = clock
        self._verbose = verbose
        self._began = clock()
        # Every host has its place from the start: the drawing thread never meets a mapping that grows.
        self._hosts = {host: HostNow("waiting", "", self._began) for host in hosts}
        self._acting: dict[str, str] = {}
        self._within: dict[tuple[str, str], float] = {}
        self._failed: dict[str, StepFinished] = {}
        self._region = Region(screen, self._drawn)

    def __enter__(self) -> Self:
        self._region.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._region.close()

    def connecting(self, host: str) -> None:
        """The host is being connected to."""
        self._now(host, "connecting", "connecting")

    def waiting(self, host: str, what: str) -> None:
        """What a slow host lets whoever connects to it wait for."""
        self._now(host, "connecting", what)

    def asked(self, host: str, request: Request) -> None:
        """The host is asked for something, or something that happened on it is remembered."""
        if isinstance(request, Record):
            self._remembered(host, request.event)
        elif isinstance(request, Execute):
            self._acting[host] = request.step
            back = "taking back: " if request.undo else ""
            self._now(host, "changing", f"{request.step}: {back}{request.change.summary}", request.change.timeout)
        elif isinstance(request, AskApproval):
            self._within[host, request.step.label] = request.step.within
            self._now(host, "at a gate", request_words(request))
        elif host in self._acting and isinstance(request, ReadFacts | Wait):
            step = self._acting[host]
            self._now(host, "proving", f"{step}: proving that it helped", self._within.get((host, step), 0.0))
        elif isinstance(request, ReadFacts):
            why = f" ({request.why})" if request.why else ""
            what = f"reading {plural(len(request.facts), 'fact')}{why}"
            self._now(host, "reading", what, PROBE_SECONDS + (request.count - 1) * request.every)
        elif isinstance(request, Turn):
            self._now(host, "waiting", "")
        else:
            limit = request.seconds if isinstance(request, Wait) else 0.0
            self._now(host, "reading", request_words(request), limit)

    def ended(self, host: str, outcome: HostState, why: str) -> None:
        """Nothing more is done on the host; how it ended is told at once: the next gate may depend on it."""
        self._acting.pop(host, None)
        self._hosts[host] = HostNow(outcome, "", self._clock())
        told = TOLD.get(outcome)
        if told is not None:
            step = self._failed.get(host)
            self.say(finished_line(host, told, why_of(step, why) if step is not None else why))

    def say(self, *shown: Block) -> None:
        """A line, or several, that stay."""
        self._region.say(*shown)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is drawn meanwhile: a question stands."""
        with self._region.questioned():
            yield

    def _now(self, host: str, state: HostState, doing: str, limit: float = 0.0) -> None:
        """Where it goes on with the same, its time runs on."""
        before = self._hosts[host]
        same = before.state == state and (state == "connecting" or before.doing == doing)
        self._hosts[host] = HostNow(state, doing, before.since if same else self._clock(), limit)

    def _remembered(self, host: str, event: Event) -> None:
        if isinstance(event, Diagnosed):
            self._within |= {(host, step.label): step.within for step in event.plan.steps}
        elif isinstance(event, StepFinished):
            self._acting.pop(host, None)
            if event.state in WENT_WRONG:
                self._failed[host] = event
        if isinstance(event, UndoPlanned):
            self.say(*planned_view(event.of, event.plan))
        elif _needs_attention(event) or (self._verbose and not _is_end(event)):
            self.say(event_line(host, event))

    def _drawn(self, width: int, height: int) -> list[Text]:
        note = lay_out([line(Span(self.note, "hint"))], width) if self.note else []
        return [*note, *fleet_lines(dict(self._hosts), self._began, self._clock(), width, height - len(note))]


def _needs_attention(event: Event) -> bool:
    if isinstance(event, LookedAt):
        return not event.settled
    return isinstance(event, LockBroken | Outdated)


def _is_end(event: Event) -> bool:
    """True for what is told where the host ends, and for steps that were not come to."""
    return isinstance(event, RunFinished) or (isinstance(event, StepFinished) and event.state == "skipped")
