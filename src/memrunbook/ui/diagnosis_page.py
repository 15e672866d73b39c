"""A diagnosis to send: the page of each host as on a screen, then where its memory is, and who the host is."""

from __future__ import annotations

from collections.abc import Sequence

from memrunbook.core.plan.headline import Headline
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import WHERE
from memrunbook.ui.block import Block, Line, Span, title
from memrunbook.ui.html.page import HostPart, Page, Part
from memrunbook.ui.memory_picture import event_pictures, memory_picture
from memrunbook.ui.oom_event import NEWEST, told_event
from memrunbook.ui.record import identity_blocks
from memrunbook.ui.run_page import page_end
from memrunbook.ui.verdict import STYLES
from memrunbook.version import __version__


def diagnosed_host(headline: Headline, judged: Judged, page: Sequence[Block]) -> HostPart:
    """The part of one host; `page` is what a screen shows of it."""
    snapshot, parts = judged.reached.snapshot, list[Part](page)
    if snapshot is not None and judged.diagnosis is not None:
        findings = [found for entry in judged.diagnosis.runbooks for found in entry.findings]
        told = told_event(findings, snapshot.value(NEWEST))
        pictures = [*(event_pictures(told) if told else []), *memory_picture(_where(snapshot), "by this reading")]
        first = next((n for n, block in enumerate(page) if isinstance(block, Line) and block.title), len(page))
        parts[first:first] = [title("Memory"), *pictures] if pictures else []
        parts += identity_blocks(headline.name, snapshot.identity, __version__)
    return HostPart(headline.name, Span(headline.word, STYLES[headline.word]), parts)


def diagnosis_page(about: Sequence[Block], hosts: Sequence[HostPart], made: str, engine: str) -> Page:
    """The page; `about` is said of all hosts together where there are several."""
    named = hosts[0].name if len(hosts) == 1 else f"{len(hosts):,} hosts"
    return Page(f"Memory of {named}", about, hosts, page_end(made, engine))


def _where(snapshot: Snapshot) -> dict[str, object]:
    values = {name: snapshot.value(name) for name in WHERE}
    return {name: value for name, value in values.items() if not isinstance(value, Unavailable)}
