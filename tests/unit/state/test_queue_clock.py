"""A clock that is wrong is told to whoever has it, before others take that node for dead."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.unit.state.conftest import database, server

from memrunbook.core.errors import Refused
from memrunbook.state.queue import Queue
from memrunbook.state.queue_clock import MOST

__all__ = ["database", "server"]


@pytest.fixture
def apart(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """This node's clock is so many seconds from the server's."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + request.param)


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("apart", [0.0, MOST / 2, -MOST / 2], indirect=True)
def test_one_that_is_right_enough_is(database: str, tmp_path: Path) -> None:
    assert Queue.open(tmp_path, database).name


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize(("apart", "way"), [(40.0, "40 s ahead of"), (-40.0, "40 s behind")], indirect=["apart"])
def test_whoever_has_a_wrong_one_has_no_queue(database: str, tmp_path: Path, way: str) -> None:
    with pytest.raises(Refused, match=f"the clock of this node is {way} that of the store") as caught:
        Queue.open(tmp_path, database)
    assert "within 10 s" in caught.value.hint
