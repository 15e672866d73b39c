"""A clock that is wrong is told to whoever has it, before others take that node for dead."""

from __future__ import annotations

import time

import pytest
from tests.unit.state.conftest import Opened

from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.state.store.server_clock import MOST, refuse_wrong_clock


def clock(apart: float) -> Instant:
    return Instant(time.time() + apart, 0.0)


@pytest.mark.parametrize("apart", [0.0, MOST / 2, -MOST / 2])
def test_one_that_is_right_enough_is(opened: Opened, apart: float) -> None:
    refuse_wrong_clock(opened(), lambda: clock(apart))


@pytest.mark.parametrize(("apart", "way"), [(40.0, "40 s ahead of"), (-40.0, "40 s behind")])
def test_a_wrong_one_is_refused_where_a_server_has_another(opened: Opened, apart: float, way: str) -> None:
    store = opened()
    if store.engine.dialect.name == "sqlite":
        refuse_wrong_clock(store, lambda: clock(apart))
        return
    with pytest.raises(Refused, match=f"the clock of this node is {way} that of the store") as caught:
        refuse_wrong_clock(store, lambda: clock(apart))
    assert "within 10 s" in caught.value.hint
