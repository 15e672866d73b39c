"""The part of a host in a diagnosis to send; how its memory is pictured, `tests/cli/test_html.py` shows."""

from __future__ import annotations

from tests.golden import samples as s

from memrunbook.core.errors import HostError
from memrunbook.core.host import Host
from memrunbook.core.plan.headline import headline
from memrunbook.core.plan.judged import Judged
from memrunbook.core.reading.reached import Reached
from memrunbook.ui.block import Line
from memrunbook.ui.diagnosis import diagnosis_view
from memrunbook.ui.diagnosis_page import diagnosed_host, diagnosis_page
from memrunbook.ui.errors import error_view
from memrunbook.ui.html.page import Part
from memrunbook.ui.layout import plain


def titles(parts: list[Part]) -> list[str]:
    return [plain(part.body).partition(":")[0] for part in parts if isinstance(part, Line) and part.title]


def test_a_host_whose_places_were_not_read_has_no_picture_and_ends_with_who_it_is() -> None:
    found = s.diagnosis(s.runbook_diagnosis(), primary="swap-thrashing")
    judged = Judged(Reached(Host(s.HOST), s.snapshot()), found)
    part = diagnosed_host(headline(judged), judged, diagnosis_view(found, s.snapshot(), now=s.NOW))
    assert (part.name, part.word.text, part.word.style) == (s.HOST, "CRITICAL", "critical")
    assert titles(list(part.parts))[-1] == "Identity"
    assert "Memory" not in titles(list(part.parts))


def test_a_host_that_was_not_reached_is_what_the_terminal_says_of_it() -> None:
    error = HostError("nothing answers", hint="is it up?")
    judged = Judged(Reached(Host("db7"), error=error))
    page = error_view(error, "db7")
    part = diagnosed_host(headline(judged), judged, page)
    assert list(part.parts) == page
    assert part.word.text == "UNKNOWN"


def test_the_title_names_the_host_or_how_many() -> None:
    judged = Judged(Reached(Host("db7"), error=HostError("x")))
    part = diagnosed_host(headline(judged), judged, [])
    assert diagnosis_page([], [part], "now", "1").title == "Memory of db7"
    assert diagnosis_page([], [part] * 3, "now", "1").title == "Memory of 3 hosts"
