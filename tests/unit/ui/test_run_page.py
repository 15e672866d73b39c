"""The part of a host in a report to send: the page of the terminal, then what it rests on; of a bounded size."""

from __future__ import annotations

import re

from msgspec import structs, to_builtins
from tests.golden import samples as s
from tests.unit.ui.html.parsed import each, parsed, words
from tests.unit.ui.test_memory_picture import WHERE
from tests.unit.ui.test_oom_event import TOLD, finding

from memrunbook.core.run.course import Course, CourseReading, CourseStep, GateAnswered
from memrunbook.core.run.event import Diagnosed
from memrunbook.core.run.report import HostReport
from memrunbook.ui.block import Span
from memrunbook.ui.html.page import HostPart, Page, render
from memrunbook.ui.layout import lay_out
from memrunbook.ui.oom_event import NEWEST
from memrunbook.ui.report import report_view
from memrunbook.ui.run_page import page_end, record_blocks, run_host

LARGEST = 100_000
"""Bytes of a page of one host, whatever its journal holds."""


def long_course(count: int) -> Course:
    readings = (CourseReading(s.TAKEN.utc + n, "verify", {"memory.available_percent": n % 90.0}) for n in range(count))
    gate = GateAnswered(s.TAKEN.utc, "restart", "Restart", "a" * 64, "yes", "ada", "terminal")
    step = CourseStep(f"restart-grower/{s.GROWER}", s.TAKEN.utc + 1, s.TAKEN.utc + 5)
    return Course(readings=tuple(readings), steps=(step,), gates=(gate,), plan=s.plan(), records=count, head="h")


def part(report: HostReport, course: Course, *, alone: bool = True) -> HostPart:
    record = record_blocks(report, course, "/x/web1.jsonl", "l9")
    return run_host(report, s.RUN, [], course, record, alone=alone)


def page(report: HostReport, course: Course) -> str:
    return render(Page("A run", [], [part(report, course)], page_end("2026-11-22 10:00:00 UTC", "0.9")))


def test_it_says_what_the_terminal_says_and_then_what_that_rests_on() -> None:
    report = structs.replace(s.report(), where=WHERE)
    root = parsed(page(report, long_course(9)))
    said = re.sub(r"\s", "", words(root))
    for content in lay_out(report_view(report, s.RUN), None):
        assert re.sub(r"\s", "", "".join(span.text for span in content)) in said
    titles = [words(one).partition(":")[0].partition(",")[0] for one in each(root, "h3")]
    assert titles == [
        "Steps", "Signals", "Signals over time", "Readings", "Memory", "Plan", "Approvals", "Identity", "Journal",
    ]  # fmt: skip
    assert words(next(each(root, "footer"))).startswith("Made at 2026-11-22 10:00:00 UTC by memrunbook 0.9.")


def test_the_event_that_was_found_is_pictured_as_the_journal_keeps_it() -> None:
    seen = s.runbook_diagnosis(findings=(finding(),))
    begun = Diagnosed(seen, s.plan(), {}, kept={NEWEST: [to_builtins(TOLD)]})
    root = parsed(page(structs.replace(s.report(), begun=begun), Course()))
    assert [words(one).partition(":")[0] for one in each(root, "figcaption")] == [
        "Where the memory was when the OOM killer came", "Who held it",
    ]  # fmt: skip


def test_a_journal_of_very_many_readings_makes_no_large_page() -> None:
    text = page(structs.replace(s.report(), where=WHERE), long_course(20_000))
    assert len(text.encode()) < LARGEST


def test_the_word_is_that_of_the_outcome() -> None:
    assert part(s.report("failed"), Course()).word == Span("FAILED", "critical")
