"""A report to send: the page of each host as on a screen, then its signals over time, memory, plan and record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from memrunbook.core.run.course import Course
from memrunbook.core.run.report import HostReport
from memrunbook.ui.block import BLANK, Block, Span, line, title
from memrunbook.ui.course import course_parts
from memrunbook.ui.html.page import HostPart, Part
from memrunbook.ui.memory_picture import event_pictures, memory_picture
from memrunbook.ui.oom_event import NEWEST, told_event
from memrunbook.ui.record import approval_blocks, identity_blocks, journal_blocks, plan_blocks
from memrunbook.ui.report import OUTCOMES, report_view


def record_blocks(report: HostReport, course: Course, file: str, ledger_head: str) -> list[Block]:
    """What a report rests on: plan, approvals, identity, journal."""
    return [
        *plan_blocks(course.plan),
        *approval_blocks(course.gates),
        *identity_blocks(report.host, course.identity, course.engine, course.runbook, course.runbook_digest),
        *journal_blocks(course, file, ledger_head),
    ]


def run_host(  # noqa: PLR0913  what a part is made of
    report: HostReport,
    run_id: str,
    who: Sequence[Block],
    course: Course,
    record: Sequence[Block],
    *,
    alone: bool,
    taken_back: Mapping[str, str] = MappingProxyType({}),
) -> HostPart:
    """The part of one host; `record` as of `record_blocks`, the rest as of `report_view`."""
    word, style, _ = OUTCOMES[report.outcome]
    page = report_view(report, run_id, who, alone=alone, taken_back=taken_back)
    parts: list[Part] = [*page, *course_parts(report, course), *_memory(report), *record]
    return HostPart(report.host, Span(word, style), parts)


def _memory(report: HostReport) -> list[Part]:
    """The memory when the kernel killed, where that is told, and when the run ended."""
    begun = report.begun
    told = told_event(begun.diagnosis.findings, begun.kept.get(NEWEST)) if begun else None
    pictures = [*(event_pictures(told) if told else []), *memory_picture(report.where, "as the run left it")]
    return [title("Memory"), *pictures] if pictures else []


def page_end(made: str, engine: str) -> list[Block]:
    """The last lines of a page: when it was made and by what."""
    return [
        line(f"Made at {made} by memrunbook {engine}. All times are UTC."),
        line("One file: it loads nothing and runs nothing. What looks like a secret is hidden in it, names are not."),
        BLANK,
    ]
