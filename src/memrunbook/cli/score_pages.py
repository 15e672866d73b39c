"""What `runbook schedule score` shows: pages for people, the document for programs."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from memrunbook.cli.next_command import kept_options
from memrunbook.documents.printed.score import PrintedScore, ScoreDocument, printed_case
from memrunbook.runtime.clock import SystemClock
from memrunbook.ui.block import BLANK
from memrunbook.ui.score import ScoreView, notes_view, nothing_view, score_view

if TYPE_CHECKING:
    from memrunbook.app.scoring import ScheduleScore, ScoreResult
    from memrunbook.ui.block import Block


def score_document(found: ScoreResult) -> ScoreDocument:
    """Every case of every schedule."""
    return ScoreDocument(
        since=found.since, notes=found.notes, schedules=tuple(_printed(one) for one in found.schedules)
    )


def score_pages(found: ScoreResult) -> Iterator[list[Block]]:
    """A page for each schedule, and why less is known than might be."""
    now = SystemClock().now()
    if not found.schedules:
        yield nothing_view()
    for number, one in enumerate(found.schedules):
        again = shlex.join(["runbook", "schedule", "firings", one.name, *kept_options("since")])
        view = ScoreView(
            one.name, one.cases, one.came_without, one.hosts, one.sightings, one.watched,
            listed=one.job is not None, acts=again if one.job is not None and one.job.acts else "",
        )  # fmt: skip
        yield [*([BLANK] if number else []), *score_view(view, found.since, now)]
    if found.notes:
        yield [BLANK, *notes_view(found.notes)]


def _printed(one: ScheduleScore) -> PrintedScore:
    return PrintedScore(
        name=one.name,
        listed=one.job is not None,
        mode=("run" if one.job.acts else "plan") if one.job else "",
        watched=one.watched,
        hosts=one.hosts,
        sightings=one.sightings,
        acted=len(one.cases),
        asks=sum(scored.case.asks for scored in one.cases),
        fates=dict(Counter(scored.fate for scored in one.cases)),
        cases=tuple(printed_case(scored) for scored in one.cases),
        came_without=one.came_without,
    )
