"""What the confusion matrix calls wrong; needs no guest."""

from __future__ import annotations

from typing import Any

import pytest
from tests.kernel.changes import FULL_RUN
from tests.kernel.lab.scenario import Truth
from tests.kernel.matrix import Cell, Row, cells, faults, last_tries, lines, loaded, page, untold, warnings

HEALTHY = Truth(healthy=True)
OOM = Truth(
    "oom-event",
    checks=("happened",),
    cause="leaky.service",
    beside=("memory-leak",),
    allowed=("memory-shortage.low",),
)
BLOAT = Truth("memory-shortage", incident=False, checks=("slab-bloat",), cause="dentry")
BELOW = {"oom-event": ["memory-shortage"], "memory-shortage": [], "swap-thrashing": []}


def finding(runbook: str, check: str, severity: str, state: str = "firing") -> dict[str, Any]:
    evidence = [{"metric": "memory.total_bytes", "value": 1}]
    return {"runbook": runbook, "check": check, "severity": severity, "state": state, "why": "", "evidence": evidence}


def said(*findings: dict[str, Any], incidents: tuple[str, ...] = (), **causes: str) -> dict[str, Any]:
    return {
        "findings": list(findings),
        "incidents": [{"runbook": name} for name in incidents],
        "runbooks": [{"runbook": name.replace("_", "-"), "causes": [{"name": who}]} for name, who in causes.items()],
    }


KILLED = finding("oom-event", "happened", "critical")
SHORT = finding("memory-shortage", "starving", "critical")
THRASHING = finding("swap-thrashing", "thrashing", "critical")
BLOATED = finding("memory-shortage", "slab-bloat", "info")
LOW = finding("memory-shortage", "low", "warning")


@pytest.mark.parametrize(
    ("truth", "host"),
    [
        (HEALTHY, said()),
        (HEALTHY, said(finding("memory-shortage", "starving", "critical", "unknown"))),
        (OOM, said(KILLED, incidents=("oom-event",), oom_event="leaky.service")),
        (OOM, said(KILLED, SHORT, incidents=("oom-event", "memory-shortage"), oom_event="leaky.service")),
        (BLOAT, said(BLOATED, memory_shortage="dentry and inode caches")),
    ],
)
def test_right(truth: Truth, host: dict[str, Any]) -> None:
    assert list(faults(truth, host, BELOW)) == []


@pytest.mark.parametrize(
    ("truth", "host", "part"),
    [
        (HEALTHY, said(KILLED, incidents=("oom-event",)), "healthy, but an incident of oom-event applies"),
        (
            OOM,
            said(KILLED, incidents=("oom-event", "swap-thrashing"), oom_event="leaky.service"),
            "an incident of swap-thrashing applies beside it",
        ),
        (OOM, said(KILLED, oom_event="leaky.service"), "not recognised as oom-event, but as healthy"),
        (
            OOM,
            said(KILLED, SHORT, incidents=("memory-shortage", "oom-event"), oom_event="leaky.service"),
            "not recognised as oom-event, but as memory-shortage, oom-event",
        ),
        (
            OOM,
            said(KILLED, incidents=("oom-event",), oom_event="other.service"),
            "cause of oom-event is leaky.service, said was: other.service",
        ),
        (OOM, said(incidents=("oom-event",), oom_event="leaky.service"), "check happened of oom-event is not there"),
        (
            OOM,
            said(finding("oom-event", "happened", "critical", "clear"), incidents=("oom-event",)),
            "check happened of oom-event is clear, memory.total_bytes = 1",
        ),
        (BLOAT, said(BLOATED, incidents=("memory-shortage",), memory_shortage="dentry"), "though nobody suffers"),
    ],
)
def test_wrong(truth: Truth, host: dict[str, Any], part: str) -> None:
    assert [fault for fault in faults(truth, host, BELOW) if part in fault], list(faults(truth, host, BELOW))


@pytest.mark.parametrize(
    ("truth", "host", "wrong"),
    [
        (HEALTHY, said(LOW), ["memory-shortage.low"]),
        (HEALTHY, said(SHORT, BLOATED), ["memory-shortage.starving"]),
        (OOM, said(KILLED, LOW), []),
        (OOM, said(KILLED, SHORT, THRASHING), ["memory-shortage.starving", "swap-thrashing.thrashing"]),
        (OOM, said(finding("oom-event", "still-short", "critical")), ["oom-event.still-short"]),
        (BLOAT, said(BLOATED, LOW), ["memory-shortage.low"]),
    ],
)
def test_what_fires_and_is_not_allowed_is_a_wrong_warning(truth: Truth, host: dict[str, Any], wrong: list[str]) -> None:
    names = [text.partition(": ")[2].partition(",")[0] for text in warnings(truth, host)]
    assert names == wrong


def test_what_only_cannot_be_judged_is_no_warning() -> None:
    unknown = finding("memory-shortage", "starving", "critical", "unknown")
    clear = finding("memory-shortage", "low", "warning", "clear")
    assert not list(warnings(HEALTHY, said(unknown, clear)))


def test_a_name_may_be_folded_and_must_be_told() -> None:
    truth = Truth("oom-event", says=("app.slice", "Page tables"))
    assert not list(untold(truth, "limit of app.\n    slice: page\n tables"))
    assert list(untold(truth, "page tables of app")) == ["'app.slice' is said nowhere"]


def row(scenario: str, expected: str, *wrong: str, warned: tuple[str, ...] = ()) -> Row:
    named = cells(said(KILLED, finding("swap-thrashing", "cold", "info", "clear"), incidents=("oom-event",)))
    return Row(scenario, "no-psi", expected, named, wrong, warned)


def test_a_row_survives_the_way_from_a_test_process() -> None:
    there = row("leaking_service", "oom-event", "why", warned=("wrong warning: a.b",))
    assert loaded(there.dumped()) == there
    assert there.cells == {"oom-event": Cell("critical", True), "swap-thrashing": Cell()}


def test_the_matrix_marks_what_is_expected_and_what_is_wrong() -> None:
    rows = [row("leaking_service", "oom-event"), row("idle", "", "why")]
    drawn = list(lines(rows))
    assert drawn[:4] == [
        "                       oom    swap",
        "                       event  thrash",
        "idle@no-psi            CRIT   .      WRONG",
        "leaking_service@no-psi [CRIT] .      ok",
    ]
    assert drawn[-1] == "idle@no-psi: why"
    text = page(rows, "Last full run: 2026-11-28, commit 0123456789ab.")
    assert FULL_RUN.search(text), "which later runs look for"
    assert "| leaking_service@no-psi | **INCIDENT** critical ✓ | . | 0 | ok |" in text
    assert "- idle@no-psi: why" in text


def test_a_wrong_warning_is_counted_and_makes_the_row_wrong() -> None:
    text = page([row("leaking_service", "oom-event", warned=("wrong warning: a.b", "wrong critical: c.d"))], "Never.")
    assert "Never. Wrong warnings: 2." in text
    assert "| leaking_service@no-psi | **INCIDENT** critical ✓ | . | 2 | WRONG |" in text
    assert "- leaking_service@no-psi: wrong critical: c.d" in text


def test_the_last_try_counts_and_is_named() -> None:
    tries = [row("idle", "", "why"), row("leaking_service", "oom-event"), row("idle", "")]
    last = last_tries(tries)
    assert [(one.scenario, one.faults, one.tries) for one in last] == [("idle", (), 2), ("leaking_service", (), 1)]
    assert "idle@no-psi            CRIT   .      ok (try 2)" in list(lines(last))


def test_ten_runbooks_fit_into_110_columns() -> None:
    names = [f"memory-runbook-{number}" for number in range(10)]
    wide = Row("mmap_database_healthy", "cgroup-v1", names[0], {name: Cell("critical", True) for name in names}, ())
    assert max(len(line) for line in lines([wide])) <= 110
