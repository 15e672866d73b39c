"""Which runs an audit shows or exports: options, and the moments and outcomes that they name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import click

from memrunbook.app.moments import moment
from memrunbook.cli.options import OptionGroup
from memrunbook.core.errors import UsageError
from memrunbook.core.run.report import Reported

OUTCOMES = tuple(word for part in get_args(Reported) for word in (get_args(part) or (part,)))
FORMS = ("jsonl", "csv")
FORMS_HELP = "JSON lines: the records as they stand; CSV: one row each, for a spreadsheet."


@dataclass(frozen=True)
class Wanted:
    """What is named: patterns for host, actor and runbook, moments in seconds since 1970, an outcome; else empty."""

    host: str
    actor: str
    runbook: str
    since: float | None
    until: float | None
    outcome: str


def _wanted(*, host: str, actor: str, runbook: str, since: str | None, until: str | None, outcome: str) -> Wanted:  # noqa: PLR0913  an option each
    refuse_unknown_outcome(outcome)
    return Wanted(host, actor, runbook, moment(since, "--since"), moment(until, "--until"), outcome)


_PATTERN = "a name or a pattern as of a shell (web-*)"
WANTED = OptionGroup(
    "wanted",
    _wanted,
    {
        "host": click.option("--host", default="", metavar="HOST", help=f"Only of this host: {_PATTERN}."),
        "actor": click.option("--actor", default="", help=f"Only by this user, sudo user or user@node: {_PATTERN}."),
        "runbook": click.option("--runbook", default="", metavar="NAME", help=f"Only with this runbook: {_PATTERN}."),
        "since": click.option(
            "--since", metavar="TIME", help="Only what was under way since: 2026-11-22, …T09:41, 7d."),
        "until": click.option("--until", metavar="TIME", help="Only what was begun before that."),
        "outcome": click.option("--outcome", default="", metavar="WORD", help="Only with this outcome, as resolved."),
    },
)  # fmt: skip


def refuse_unknown_outcome(word: str) -> None:
    """UsageError for a word that no run can end with."""
    if word and word not in OUTCOMES:
        from difflib import get_close_matches

        close = get_close_matches(word, OUTCOMES, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(OUTCOMES)}"
        raise UsageError(f"no run ends as {word!r}", where="--outcome", hint=hint)
