"""Writes records of journals for other programs: JSON lines as they stand, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from memrunbook.cli import exit_codes
from memrunbook.cli.streams import tell, while_heard
from memrunbook.core.errors import UsageError
from memrunbook.core.text import clean
from memrunbook.runtime.redaction import may_hold_secret, redacted

if TYPE_CHECKING:
    from memrunbook.app.accounting import AccountArguments, JournalLine

COLUMNS = (
    "time", "run", "host", "event", "kind", "step", "action", "target", "answer", "who", "how", "why",
    "actor", "sudo_user", "control_node", "runbook", "command", "reason", "outcome", "seq", "hash",
)  # fmt: skip
LONGEST_CELL = 2_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula: such a cell gets a quote before it."""


def export_records(arguments: AccountArguments, form: str, file: Path | None) -> int:
    """Writes the records and says on stderr where their journals are not as written; the exit code."""
    from memrunbook.app import accounts, records
    from memrunbook.ui.audit import doubt_view
    from memrunbook.ui.screen import Screen

    doubts = accounts(arguments).doubts
    write = _csv if form == "csv" else _json_lines
    code = exit_codes.JOURNAL if doubts else exit_codes.OK
    if doubts:
        while_heard(Screen("auto", sys.stderr).say)(doubt_view(doubts))
    if file is None:
        return tell(code, lambda: write(sys.stdout, _readable(records(arguments))))
    with _new(file) as stream:
        write(stream, _readable(records(arguments)))
    return code


def _readable(lines: Iterable[JournalLine]) -> Iterator[tuple[JournalLine, dict[str, Any]]]:
    """Each record with what it says; lines that are none are left out: the audit tells of them."""
    for one in lines:
        try:
            record = msgspec.json.decode(one.line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(record, dict):
            yield one, record


def _json_lines(stream: TextIO, lines: Iterable[tuple[JournalLine, dict[str, Any]]]) -> None:
    """The very line of the journal, so that its hash still holds, behind the name of the journal."""
    for one, record in lines:
        text = one.line.decode("utf-8")
        if may_hold_secret(text) and (hidden := redacted(record)) != record:
            text = msgspec.json.encode(hidden).decode()
        stream.write(f'{{"journal":{msgspec.json.encode(one.journal).decode()},{text[1:]}\n')


def _csv(stream: TextIO, lines: Iterable[tuple[JournalLine, dict[str, Any]]]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one, record in lines:
        cells = _cells(one, redacted(record))
        writer.writerow(cell(cells.get(name)) for name in COLUMNS)


def _cells(one: JournalLine, record: dict[str, Any]) -> dict[str, Any]:
    request, answer, event, actor = (_part(record, name) for name in ("request", "answer", "record", "actor"))
    step = _part(request, "step")
    change = _part(request, "change") or _part(step, "change")
    label = request.get("step") if not step else step.get("id")
    ends = record.get("hosts") if record.get("event") == "ended" else ()
    outcomes = "; ".join(f"{end.get('host')}: {end.get('outcome')}" for end in ends or () if isinstance(end, dict))
    return {
        **{name: record.get(name) for name in ("time", "host", "event", "runbook", "command", "reason", "seq", "hash")},
        "run": one.journal.partition("/")[0],
        "kind": request.get("type") or answer.get("type") or event.get("type") or record.get("error"),
        "step": label or event.get("id"),
        "action": change.get("action") or event.get("action"),
        "target": change.get("target"),
        "answer": answer.get("answer") or event.get("state"),
        "who": answer.get("who"),
        "how": answer.get("how"),
        "why": answer.get("why") or event.get("why") or record.get("message"),
        "actor": actor.get("user"),
        "sudo_user": actor.get("sudo_user"),
        "control_node": actor.get("control_node"),
        "outcome": event.get("outcome") or outcomes,
    }


def _part(record: dict[str, Any], name: str) -> dict[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def cell(value: Any) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else clean(str(value), LONGEST_CELL)
    return f"'{text}" if text.startswith(FORMULA) else text


@contextmanager
def _new(file: Path) -> Iterator[TextIO]:
    """A file (0600) that must not be there yet; UsageError where it cannot be written."""
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"the export cannot be written: {why}", where=str(file), hint="name a new file") from None
