"""What is held, in words that say by whom, since when and until when."""

from __future__ import annotations

import pytest
from tests.lab.small import Hold, Holds, snapshot

from memrunbook.core.plan.held import held_words
from memrunbook.core.reading.fact import Unavailable


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        (Hold(name="web"), "web is frozen and does nothing, by run R1 of lab 72 s ago; the host thaws it in 4"),
        (Hold(name="web", runbook=""), "by run R1 72 s ago"),
        (Hold(name="web", left_seconds=0.0), "its time is over and the host has not taken it back"),
        (Hold(name="web", ours=False), "web is frozen and does nothing: somebody froze it, and nothing thaws it"),
        (Hold(name="web", kind="changed", lost=True), "so it stays until somebody does: runbook undo R1"),
        (
            Hold(name="vm.swappiness", kind="changed", what="vm.swappiness 60 -> 7"),
            "vm.swappiness is changed for a while (vm.swappiness 60 -> 7), by run R1",
        ),
    ],
)  # fmt: skip
def test_each_hold_is_a_sentence(hold: Hold, words: str) -> None:
    (said,) = held_words(snapshot(holds=Holds(all=(hold,))))
    assert words in said


def test_what_is_not_known_is_not_said() -> None:
    assert held_words(snapshot(holds=Unavailable("failed", "no answer"))) == ()
    assert held_words(snapshot()) == ()
