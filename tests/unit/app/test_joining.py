"""A node closes the runs that it lost, once they came to their end elsewhere, with what they left open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.unit.app.ordered import AT, FIRST, ORDER, SECOND, Ordered, order
from tests.unit.core.run.test_flight import asked
from tests.unit.state.conftest import INVOKED, NOW

from memrunbook.app.joining import join
from memrunbook.core.run.record import plain
from memrunbook.state.left_open import left_open
from memrunbook.state.run_directory import RunDirectory
from memrunbook.state.runs import runs
from memrunbook.state.store.parts import EndedElsewhere, PartTelling
from memrunbook.state.witnessed import UNWITNESSED

__all__ = ["order"]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "node-1"
    folder.mkdir(mode=0o700)
    return folder


def cut_off(state: Path, run: str = FIRST, part_of: str = ORDER, *records: dict[str, Any]) -> RunDirectory:
    """A run on one host, under way until it is closed."""
    directory = RunDirectory.create(state, run, lambda: NOW)
    directory.run.append(plain(structs.replace(INVOKED, hosts=("web-1",), part_of=part_of)))
    for record in records:
        directory.host("web-1").append({name: value for name, value in record.items() if name != "hash"} | {"run": run})
    return directory


def ended(order: Ordered, node: str = "node-2", part: str = FIRST) -> None:
    taken = order.begun(part, node)
    order.worker(node).end(PartTelling(part=part, attempt=taken.attempt, number=taken.number), "resolved", b"", AT)


def joined(order: Ordered, state: Path) -> list[EndedElsewhere]:
    return join(state, order.worker("node-1"), UNWITNESSED)


def test_a_run_that_came_to_its_end_elsewhere_is_closed_and_what_it_left_open_is_settled(
    order: Ordered, state: Path
) -> None:
    cut_off(state, FIRST, ORDER, asked()).close()
    assert [opened.step for opened in left_open(state)] == ["act"]
    ended(order)
    assert joined(order, state) == [EndedElsewhere(FIRST, "node-2", "resolved")]
    [run] = runs(state)
    assert run.state == "ended"
    assert run.ended is not None
    assert run.ended.elsewhere == "node-2"
    assert [(host.host, host.outcome, len(host.settled)) for host in run.ended.hosts] == [("web-1", "resolved", 1)]
    assert left_open(state) == ()
    assert joined(order, state) == [], "once"


def test_a_run_that_goes_on_elsewhere_stays_as_it_is(order: Ordered, state: Path) -> None:
    cut_off(state, FIRST, ORDER, asked()).close()
    order.begun(node="node-2")
    assert joined(order, state) == []
    assert [run.state for run in runs(state)] == ["interrupted"]
    assert [opened.step for opened in left_open(state)] == ["act"]


def test_one_that_ended_on_this_node_is_its_own(order: Ordered, state: Path) -> None:
    cut_off(state).close()
    ended(order, "node-1")
    assert joined(order, state) == []


def test_one_that_is_at_work_here_and_one_that_nobody_ordered_are_left_alone(order: Ordered, state: Path) -> None:
    with cut_off(state, FIRST):
        cut_off(state, SECOND, part_of="").close()
        ended(order)
        ended(order, part=SECOND)
        assert joined(order, state) == []


def test_a_node_that_was_never_there_has_lost_nothing(order: Ordered, tmp_path: Path) -> None:
    assert joined(order, tmp_path / "never") == []
