"""What a run is doing right now: a line for each thing that happens, and on a terminal what is being waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self, assert_never

from memrunbook.core.instant import Instant
from memrunbook.core.run.event import Event, RunFinished, StepFinished, UndoPlanned
from memrunbook.core.run.request import (
    AskApproval,
    Compare,
    Execute,
    Lock,
    Look,
    ReadFacts,
    Record,
    Request,
    Turn,
    Unlock,
    Wait,
)
from memrunbook.core.units import format_duration
from memrunbook.ui.block import Block, Line, Span, Text, line
from memrunbook.ui.layout import lay_out
from memrunbook.ui.region import Region
from memrunbook.ui.report import finished_line, step_line
from memrunbook.ui.screen import Screen
from memrunbook.ui.undo import planned_view
from memrunbook.ui.words import plural

WRONG = frozenset({"refused", "failed", "undone", "unknown", "interrupted"})
"""Ends of a step of which also those hear who want it quiet."""


def event_line(host: str, event: Event) -> Line:
    """One line for something that a run remembers."""
    if isinstance(event, StepFinished):
        return step_line(host, event)
    if isinstance(event, RunFinished):
        return finished_line(host, event.outcome, event.why)
    return _said(host, event.told)


def progress_line(host: str, request: Request) -> Line:
    """One line for what is asked of the world: which host, which step, what is waited for and how long at most."""
    if isinstance(request, Record):
        return event_line(host, request.event)
    return _said(host, request_words(request))


def went_wrong(request: Request) -> bool:
    """True for what remembers that a step did not end as it should."""
    return isinstance(request, Record) and isinstance(request.event, StepFinished) and request.event.state in WRONG


def _said(host: str, words: str) -> Line:
    return line(Span(host, "quiet"), "  ", words)


def request_words(request: Request) -> str:
    """What is asked of the world: what is done or waited for, and how long that takes at most."""
    match request:
        case ReadFacts():
            took = f", about {format_duration((request.count - 1) * request.every)}" if request.count > 1 else ""
            why = f" ({request.why})" if request.why else ""
            return f"reading {plural(len(request.facts), 'fact')}{why}{took}"
        case Execute():
            undo = request.change.undo.summary if request.change.undo else request.change.summary
            what = f"taking back: {undo}" if request.undo else request.change.summary
            return f"{request.step}: {what}, at most {format_duration(request.change.timeout)}"
        case Compare() | Look() | AskApproval() | Turn():
            return _looking(request)
        case Wait():
            return f"waiting {format_duration(request.seconds)} ({request.why})"
        case Lock() | Unlock():
            return "taking the lock of the host" if isinstance(request, Lock) else "giving the lock back"
        case Record():
            return request.event.told
        case _:
            assert_never(request)


def _looking(request: Compare | Look | AskApproval | Turn) -> str:
    if isinstance(request, Turn):
        return f"{request.step}: taking its turn, one host at a time for {request.change.target}"
    if isinstance(request, AskApproval):
        return f"{request.step.label}: waiting for an answer"
    if isinstance(request, Compare):
        return f"{request.step}: looking whether it is still as the run left it"
    return f"looking at what run {request.run} began here"


class ProgressDisplay:
    """Shows what a host is doing. On a terminal what it waits for stands below the lines and its time runs.

    Use it as a context manager; safe with several threads. `clock` gives the time.
    """

    def __init__(self, screen: Screen, clock: Callable[[], Instant]) -> None:
        self._screen = screen
        self._clock = clock
        self._busy: dict[str, tuple[Line, Instant]] = {}
        self._said: dict[str, set[Line]] = {}
        self._whys: dict[str, set[str]] = {}
        self._region = Region(screen, self._drawn)

    def __enter__(self) -> Self:
        self._region.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._busy.clear()
        self._region.close()

    def asked(self, host: str, request: Request) -> None:
        """The host is busy with this; what is remembered gets its own line. Off a terminal a loop says it once."""
        shown = progress_line(host, request)
        if isinstance(request, Record):
            self.finished(host)
            event = request.event
            if isinstance(event, StepFinished):
                self._whys.setdefault(host, set()).add(event.why)
                if event.state == "skipped":  # the page that follows lists them
                    return
            if isinstance(event, RunFinished) and event.why in self._whys.get(host, ()):
                shown = finished_line(host, event.outcome, "")
            self.say(*(planned_view(event.of, event.plan) if isinstance(event, UndoPlanned) else [shown]))
            return
        self._busy[host] = (shown, self._clock())
        said = self._said.setdefault(host, set())
        if not self._region.moves and shown not in said:
            said.add(shown)
            self.say(shown)

    def say(self, *shown: Block) -> None:
        """A line, or several, that stay."""
        self._region.say(*shown)

    def finished(self, host: str) -> None:
        """The host is no longer busy."""
        self._busy.pop(host, None)
        self._said.pop(host, None)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is drawn meanwhile: a question stands."""
        with self._region.questioned():
            yield

    def _drawn(self, width: int, _: int) -> list[Text]:
        now, busy = self._clock(), list(self._busy.values())
        return lay_out([line(shown.body, f"  {format_duration(now.since(since))}") for shown, since in busy], width)
