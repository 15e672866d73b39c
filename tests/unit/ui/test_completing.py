"""Commands that are drawn are completed, on the screen and on a page to send; what was typed in the past is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from memrunbook.ui.block import Line, Span, line, to_type
from memrunbook.ui.completing import complete_by, completed
from memrunbook.ui.html.blocks import block_elements

SAID = "look: runbook report 20261129T121108Z-abcd"


@pytest.fixture(autouse=True)
def own_state() -> Iterator[None]:
    complete_by(lambda command: f"{command} --state-dir /s")
    yield
    complete_by(None)


def drawn(content: Span) -> str:
    [block] = completed([line(content)])
    assert isinstance(block, Line)
    return "".join(span.text for span in (*block.head, *block.body))


def test_what_is_to_be_typed_is_completed() -> None:
    assert (
        drawn(to_type("runbook report 20261129T121108Z-abcd")) == "runbook report 20261129T121108Z-abcd --state-dir /s"
    )
    assert drawn(Span(SAID, whole=True)) == f"{SAID} --state-dir /s"


def test_what_was_typed_is_shown_as_it_was() -> None:
    for typed in ("runbook run x --identity=/k/id --host web", "runbook report 20261129T121108Z-abcd"):
        assert drawn(Span(typed, whole=True, quoted=True)) == typed


def test_a_page_to_send_has_the_same_commands() -> None:
    [told] = block_elements(line(Span(SAID)))
    assert "runbook report 20261129T121108Z-abcd --state-dir /s" in "".join(told.itertext())
