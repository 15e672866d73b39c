"""A step that another control node left in force: how it goes away is said as it is typed there."""

from __future__ import annotations

import pytest
from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.run.report import HostReport
from memrunbook.ui.layout import lay_out
from memrunbook.ui.report import report_view

PART = "20261122T094107Z-abcdefgh"


def lines(report: HostReport) -> list[list[tuple[str, bool]]]:
    """Each line as its pieces, each with whether it is a command that gets the options that were typed here."""
    return [[(span.text, span.typed) for span in content] for content in lay_out(report_view(report, s.RUN), None)]


def left_in_force(report: HostReport) -> HostReport:
    step = structs.replace(report.steps[0], state="failed", left=True, open=False)
    return structs.replace(report, steps=(step, *report.steps[1:]))


@pytest.mark.parametrize(("part", "said"), [("", f"runbook undo {s.RUN}"), (PART, f"runbook undo {PART}")])
def test_what_takes_it_back_is_typed_where_its_journal_is(part: str, said: str) -> None:
    report = structs.replace(left_in_force(s.report()), part=part, node="node-2" if part else "")
    [undo] = [one for one in lines(report) if any(f"{said} --step" in text for text, _ in one)]
    [typed] = [typed for text, typed in undo if said in text]
    assert typed is not bool(part)
    assert "".join(text for text, _ in undo).rstrip().endswith("--dry-run on node-2" if part else "--dry-run")
