"""The end of a dry run on many hosts: one line a host, the worst first, and the command for all that have steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memrunbook.core.errors import Interrupted
from memrunbook.core.plan.judged import Planned
from memrunbook.core.plan.ranking import WORDS
from memrunbook.core.plan.standing import Word, standing
from memrunbook.core.ranges import natural
from memrunbook.ui.block import Block, Grid, Note, Row, Span, Text, line, note, row, text, to_type
from memrunbook.ui.fleet import COLUMN
from memrunbook.ui.verdict import STYLES, plan_words
from memrunbook.ui.words import counts, plural


def plans_view(hosts: Sequence[Planned], command: str) -> list[Block]:
    """The table; `command` carries out the plans of all hosts that have steps to run, empty where none has."""
    ordered = sorted(hosts, key=lambda one: (WORDS.index(_word(one)), natural(one.reached.name)))
    steps = sum(bool(one.plan and one.plan.changes) for one in hosts)
    blocked = sum(bool(one.plan and not one.plan.changes and _blocked(one)) for one in hosts)
    away = sum(one.plan is None for one in hosts)
    told = counts([(steps, "with steps to run"), (blocked, "with steps that are all blocked"), (away, "not read")])
    title = line(Span("All hosts", "strong"), f": {plural(len(hosts), 'host')}, {told or 'none with a step to run'}")
    apart = all(len(one.reached.name) <= COLUMN for one in hosts)
    rows = [entry for one in ordered for entry in _row(one, apart=apart)]
    grid = Grid(tuple(rows), under=2 if apart else 1)
    return [title, grid, *([line("To carry them out:  ", to_type(command))] if command else [])]


def _row(one: Planned, *, apart: bool) -> Iterator[Row | Note]:
    word, name = _word(one), Span(one.reached.name, "strong", whole=True)
    first, said = Span(word, STYLES[word]), _said(one)
    yield row(first, name, said) if apart else row(first, text(name, ": ", said))
    if one.reached.error is not None and one.reached.error.hint:
        yield note(Span("hint: ", "hint"), Span(one.reached.error.hint, whole=True))


def _said(one: Planned) -> Text:
    if one.diagnosis is not None and one.plan is not None:
        return plan_words(one.diagnosis, one.plan)
    error = one.reached.error
    what = "interrupted" if isinstance(error, Interrupted) else "not reached"
    return text(f"{what}: ", Span(error.message if error else "nothing is known of it", whole=True))


def _word(one: Planned) -> Word:
    return standing([one.diagnosis]).word if one.diagnosis is not None else "UNKNOWN"


def _blocked(one: Planned) -> bool:
    return one.plan is not None and any(step.decision == "blocked" for step in one.plan.steps)
