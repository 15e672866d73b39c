"""A step that another control node left in force: how it goes away is said as it is typed there."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.run.report import HostReport
from memrunbook.ui.layout import lay_out
from memrunbook.ui.report import report_view

PART = "20261122T094107Z-abcdefgh"


def left_in_force(report: HostReport) -> HostReport:
    step = structs.replace(report.steps[0], state="failed", left=True, open=False)
    return structs.replace(report, steps=(step, *report.steps[1:]))


@pytest.mark.parametrize(("part", "said"), [("", f"runbook undo {s.RUN}"), (PART, f"runbook undo {PART}")])
def test_what_takes_it_back_is_typed_where_its_journal_is(part: str, said: str) -> None:
    report = structs.replace(left_in_force(s.report()), part=part, node="node-2" if part else "")
    page = [(*one,) for one in lay_out(report_view(report, s.RUN), None)]
    [place] = [n for n, one in enumerate(page) if any(f"{said} --step" in span.text for span in one)]
    [undo] = [span for span in page[place] if said in span.text]
    assert undo.text.endswith("--dry-run")
    assert undo.typed
    assert undo.quoted is bool(part), "our own state directory is not that node's"
    before = "".join(span.text for one in page[:place] for span in one).rstrip()
    assert before.endswith(", on node-2:" if part else "what of it is still there:")


@pytest.mark.parametrize(
    ("outcome", "node", "begins"),
    [
        ("unreachable", "node-2", "on node-2: add --identity"),
        ("unreachable", "", "add --identity"),
        ("interrupted", "node-2", "add --identity"),
    ],
)
def test_what_helps_to_reach_a_host_is_typed_where_it_is_reached_from(outcome: Any, node: str, begins: str) -> None:
    report = structs.replace(s.report(), outcome=outcome, node=node, hint="add --identity")
    shown = ["".join(span.text for span in content) for content in lay_out(report_view(report, s.RUN), None)]
    assert f"  hint: {begins}" in shown
