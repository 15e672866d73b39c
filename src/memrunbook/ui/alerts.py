"""What came of alerts: a line each, and what to do where a plan waits."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from memrunbook.core.run.answered import AlertAnswer, AnsweredAlert
from memrunbook.ui.block import Block, Grid, Note, Row, Span, Style, line, note, row, to_type
from memrunbook.ui.words import plural

WORDS: Mapping[AlertAnswer, tuple[str, Style]] = {
    "run": ("run", "strong"),
    "planned": ("plan waits", "warning"),
    "unreachable": ("not reached", "critical"),
    "not-judged": ("not judged", "unknown"),
    "other": ("another incident", "critical"),
    "joined": ("same host", "quiet"),
    "unknown-host": ("no such host", "warning"),
    "unknown-alert": ("no entry", "quiet"),
    "counted": ("counted", "quiet"),
    "healthy": ("healthy", "good"),
    "resolved": ("resolved", "quiet"),
}


def alerts_view(
    found: Sequence[AnsweredAlert], complete: Callable[[str], str], truncated: int = 0, beyond: int = 0
) -> list[Block]:
    """How many came to what, then each alert; `complete` adds to a command the words that it needs here.

    `truncated` is how many Alertmanager left out of its document, `beyond` how many we did not look at.
    """
    counts = Counter(one.answer for one in found)
    said = ", ".join(f"{counts[answer]} {word}" for answer, (word, _) in WORDS.items() if counts[answer])
    rows: list[Row | Note] = []
    for one in sorted(found, key=lambda one: list(WORDS).index(one.answer)):
        word, style = WORDS[one.answer]
        on = f" for {one.host}" if one.host else ""
        told = f"alert {one.alert or '(without a name)'}{on}: {one.why}"
        rows.append(row(Span(word, style), body=Span(told, whole=True)))
        if one.plan:
            rows.append(note("to carry it out: ", to_type(complete(shlex.join(["runbook", "apply", one.plan])))))
        elif one.run:
            rows.append(note("in full: ", to_type(complete(f"runbook report {one.run}"))))
        elif one.answer == "other":
            rows.append(
                note(
                    "what is wrong there: ", to_type(complete(shlex.join(["runbook", "diagnose", "--host", one.host])))
                )
            )
    left = (
        [line(f"{truncated} more were left out by Alertmanager: max_alerts in its webhook_config")] if truncated else []
    )
    if beyond:
        left.append(
            line(f"{beyond} more were not looked at: {len(found)} at once; max_alerts in Alertmanager's webhook_config")
        )
    return [line(f"{plural(len(found), 'alert')}{': ' if said else ''}{said}"), Grid(tuple(rows), under=0), *left]
