"""`runbook schedule score --json`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from memrunbook.core.plan.score import Fate, ScoredCase, Trace
from memrunbook.core.plan.shadows import Shadow, UnforeseenKills
from memrunbook.documents.printed import Document


class PrintedShadow(Struct, frozen=True, kw_only=True):
    """A step that would have been done; `risk` is empty where it was not kept.

    `asks` is true where the schedule may not do it without a person, `provisional` where it depends on those before it.
    """

    step: str
    action: str
    target: str
    summary: str
    risk: str
    asks: bool
    provisional: bool


class PrintedCase(Struct, frozen=True, kw_only=True):
    """A case; times in seconds since 1970. `over` is null where it is not known to be over.

    `seconds` is how long it was there, or was seen. `firings` are those that found it. `asks` is true where even the
    first step would have waited for a person.
    """

    host: str
    machine: str
    runbook: str
    firing: str
    began: float
    held_until: float
    over: float | None
    seconds: float
    firings: int
    fate: Fate
    asks: bool
    steps: tuple[PrintedShadow, ...]
    evidence: tuple[Trace, ...]


class PrintedScore(Struct, frozen=True, kw_only=True):
    """One schedule; `listed` is false where it is no more in schedules.yaml, or broken there.

    Its firings looked at so many `hosts`, so often (`sightings`), since `watched` (null: never). It would have acted
    `acted` times, `asks` of them only with a person's yes. `fates` counts `cases`. `came_without` are OOM kills of
    which no case had warned.
    """

    name: str
    listed: bool
    mode: Literal["", "plan", "run"]
    watched: float | None
    hosts: int
    sightings: int
    acted: int
    asks: int
    fates: dict[Fate, int]
    cases: tuple[PrintedCase, ...]
    came_without: tuple[UnforeseenKills, ...]


class ScoreDocument(Document, frozen=True, kw_only=True):
    """runbook schedule score --json."""

    format: Literal["memrunbook.score/1"] = "memrunbook.score/1"
    since: float
    notes: tuple[str, ...]
    schedules: tuple[PrintedScore, ...]


def printed_case(one: ScoredCase) -> PrintedCase:
    """A case and what became of it."""
    case, over = one.case, [trace.before for trace in one.traces if trace.what in ("over", "run")]
    return PrintedCase(
        host=case.first.host, machine=case.first.machine, runbook=case.first.runbook, firing=case.first.firing,
        began=case.first.since, held_until=case.held_until, over=over[0] if over else None, seconds=one.seconds,
        firings=sum(seen.count for seen in case.sightings if seen.holds), fate=one.fate, asks=case.asks,
        steps=tuple(_step(step) for step in case.steps), evidence=one.traces,
    )  # fmt: skip


def _step(one: Shadow) -> PrintedShadow:
    return PrintedShadow(
        step=one.step, action=one.action, target=one.target, summary=one.summary, risk=one.risk_word,
        asks=one.asks, provisional=one.provisional,
    )  # fmt: skip
