"""The confusion matrix: what every runbook said of every scenario, what was wrong with that, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from tests.kernel.lab.scenario import Truth

PROPERTY, FIGURE, TRANSCRIPT = "matrix", "figure", "transcript"
"""The names under which a test hands over its row, a line of figures to be shown, and a transcript to be kept."""
RUNBOOKS = Path(__file__).parents[2] / "runbooks"
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "confusion-matrix.md"
SEVERITIES = ("info", "warning", "critical")
SHORT = {"": ".", "info": "info", "warning": "warn", "critical": "crit"}
COLUMN = 6
LEGEND = (
    "crit, warn, info: the worst check of that runbook that fires; CRIT, WARN, INFO: its incident applies as well;",
    ".: nothing fires. [x]: the runbook that must recognise the scenario. Last column: ok, or WRONG and why below.",
)


@dataclass(frozen=True)
class Cell:
    """What one runbook said: the worst severity that fires ("" for none), and whether its incident applies."""

    severity: str = ""
    incident: bool = False


@dataclass(frozen=True)
class Row:
    """What all runbooks said of one scenario, and what is wrong with it: wrong warnings are counted by themselves."""

    scenario: str
    configuration: str
    expected: str
    cells: Mapping[str, Cell]
    faults: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    tries: int = 1

    @property
    def title(self) -> str:
        """The scenario, with its configuration where that is not the main one."""
        return titled(self.scenario, self.configuration)

    @property
    def wrong(self) -> tuple[str, ...]:
        """All that is wrong."""
        return self.faults + self.warnings

    def dumped(self) -> str:
        """The row as text that a test process can hand over."""
        return json.dumps(asdict(self))


def titled(scenario: str, configuration: str) -> str:
    """The name of a scenario, with its configuration where that is not the main one."""
    return scenario if configuration == "main" else f"{scenario}@{configuration}"


def loaded(text: str) -> Row:
    """The row that was dumped."""
    record = json.loads(text)
    cells = {name: Cell(**cell) for name, cell in record.pop("cells").items()}
    told = {name: tuple(record[name]) for name in ("faults", "warnings")}
    return Row(**{**record, "cells": cells, **told})


def _judged(finding: Mapping[str, Any], begin: str = "") -> str:
    seen = (f"{one['metric']} = {one['value']}" for one in finding["evidence"])
    return ", ".join((begin or f"{finding['state']} {finding['why']}".strip(), *seen))


def last_tries(rows: Iterable[Row]) -> list[Row]:
    """Of each scenario in each configuration the row of its last try, which says how many there were."""
    last: dict[str, Row] = {}
    for row in rows:
        before = last.get(row.title)
        last[row.title] = replace(row, tries=before.tries + 1) if before else row
    return list(last.values())


def subsumed() -> dict[str, list[str]]:
    """Every shipped runbook, with those that it subsumes."""
    documents = (yaml.safe_load(path.read_text()) for path in sorted(RUNBOOKS.glob("*.yaml")))
    return {document["name"]: document.get("subsumes", []) for document in documents}


def cells(host: Mapping[str, Any]) -> dict[str, Cell]:
    """What each runbook said, from a host of `diagnose --json`."""
    applies = {incident["runbook"] for incident in host["incidents"]}
    firing: dict[str, int] = {}
    for finding in host["findings"]:
        worst = SEVERITIES.index(finding["severity"]) if finding["state"] == "firing" else -1
        firing[finding["runbook"]] = max(worst, firing.get(finding["runbook"], -1))
    return {name: Cell(("", *SEVERITIES)[worst + 1], name in applies) for name, worst in sorted(firing.items())}


def faults(truth: Truth, host: Mapping[str, Any], below: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What contradicts the truth; `below` gives, by runbook, what it subsumes."""
    found = [incident["runbook"] for incident in host["incidents"]]
    right = {truth.runbook, *truth.beside}
    right |= {name for runbook in right for name in below.get(runbook, ())}
    if truth.healthy and found:
        yield f"healthy, but an incident of {', '.join(found)} applies"
    if truth.runbook:
        yield from _missed(truth, host, found)
        yield from (f"an incident of {name} applies beside it" for name in found if name not in right)


def warnings(truth: Truth, host: Mapping[str, Any]) -> Iterator[str]:
    """The wrong warnings: checks of severity warning or critical that fire and that the truth does not know."""
    right = {f"{truth.runbook}.{check}" for check in truth.checks} | set(truth.allowed)
    for finding in host["findings"]:
        name = f"{finding['runbook']}.{finding['check']}"
        if finding["state"] == "firing" and finding["severity"] != "info" and name not in right:
            yield f"wrong {finding['severity']}: {_judged(finding, name)}"


def untold(truth: Truth, text: str) -> Iterator[str]:
    """What `diagnose` should have named and did not; lines are folded anywhere, so spaces do not count."""
    said = "".join(text.split()).casefold()
    yield from (f"{words!r} is said nowhere" for words in truth.says if "".join(words.split()).casefold() not in said)


def _missed(truth: Truth, host: Mapping[str, Any], found: Sequence[str]) -> Iterator[str]:
    if truth.incident and found[:1] != [truth.runbook]:
        yield f"not recognised as {truth.runbook}, but as {', '.join(found) or 'healthy'}"
    if not truth.incident and truth.runbook in found:
        yield f"the incident of {truth.runbook} applies, though nobody suffers"
    for check in truth.checks:
        judged = [f for f in host["findings"] if (f["runbook"], f["check"]) == (truth.runbook, check)]
        if [f["state"] for f in judged] != ["firing"]:
            states = " ".join(_judged(finding) for finding in judged)
            yield f"check {check} of {truth.runbook} is {states or 'not there'}"
    said = [cause["name"] for one in host["runbooks"] if one["runbook"] == truth.runbook for cause in one["causes"]]
    if truth.cause and not (said and truth.cause in said[0]):
        yield f"cause of {truth.runbook} is {truth.cause}, said was: {', '.join(said) or 'none'}"


def lines(rows: Iterable[Row]) -> Iterator[str]:
    """The matrix for a terminal, at most 110 columns wide as long as there are ten runbooks."""
    ordered = _ordered(rows)
    columns = _columns(ordered)
    wide = max(len(row.title) for row in ordered)
    for half in (0, 1):
        parts = ([*name.split("-"), ""][half][:COLUMN].ljust(COLUMN) for name in columns)
        yield " ".join(("".ljust(wide), *parts)).rstrip()
    for row in ordered:
        shown = (_short(row, name).ljust(COLUMN) for name in columns)
        yield " ".join((row.title.ljust(wide), *shown, _verdict(row)))
    yield from LEGEND
    yield from (f"{row.title}: {fault}" for row in ordered for fault in row.wrong)


def _verdict(row: Row) -> str:
    return ("WRONG" if row.wrong else "ok") + (f" (try {row.tries})" if row.tries > 1 else "")


def page(rows: Iterable[Row], ran: str) -> str:
    """The matrix as a page of the documentation; `ran` says of which commit, for later runs to compare with."""
    ordered = _ordered(rows)
    columns = _columns(ordered)
    wrong = [f"- {row.title}: {fault}" for row in ordered for fault in row.wrong]
    return "\n".join(
        [
            "<!-- Written by `make test-kernel FULL=1 UPDATE_MATRIX=1`; do not edit. -->\n",
            "# Confusion matrix\n",
            "Every scenario of the kernel lab, brought about on a real kernel, against every shipped runbook. A word",
            "is the worst severity among the runbook's checks that fire; **INCIDENT** says that the runbook applies; ✓",
            "marks the runbook that must recognise the scenario, with the right cause. On the healthy ones",
            "the plan of every runbook has no change. Each scenario lists the warnings that may stand beside the right",
            "one: any other check of severity warning or critical that fires is a wrong warning, which is a fault. A",
            "scenario runs on the main configuration (cgroup v2, with pressure figures) unless it names another. A",
            "test that fails is tried once more in a fresh guest: then the last column says so.\n",
            f"{ran} Wrong warnings: {sum(len(row.warnings) for row in ordered)}.\n",
            f"| scenario | {' | '.join(columns)} | wrong warnings | right |",
            f"|---|{'---|' * (len(columns) + 2)}",
            *(_page_row(row, columns) for row in ordered),
            *(["\nWrong:\n", *wrong] if wrong else []),
            "",
        ]
    )


def _page_row(row: Row, columns: Sequence[str]) -> str:
    def shown(name: str) -> str:
        cell = row.cells.get(name, Cell())
        words = ("**INCIDENT** " if cell.incident else "") + (cell.severity or ".")
        return f"{words} ✓" if name == row.expected else words

    return f"| {row.title} | {' | '.join(map(shown, columns))} | {len(row.warnings)} | {_verdict(row)} |"


def _short(row: Row, name: str) -> str:
    cell = row.cells.get(name, Cell())
    word = SHORT[cell.severity].upper() if cell.incident else SHORT[cell.severity]
    return f"[{word}]" if name == row.expected else word


def _ordered(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.configuration != "main", row.configuration, row.scenario))


def _columns(rows: Iterable[Row]) -> list[str]:
    return sorted({name for row in rows for name in row.cells})
