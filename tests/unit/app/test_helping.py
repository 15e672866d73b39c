"""Changes of a unit from the store, and its memory from the history."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from memrunbook.app.helping import RestartsArguments, restarts
from memrunbook.app.stored import Stored
from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.plan.limits import Here
from memrunbook.core.reading.points import kept_name
from memrunbook.core.reading.series import Observation, Series
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.history import FILE
from memrunbook.state.store.changes import Store

RESTART = Change(
    action="restart_unit", summary="Restart", target="api.service", script=":", risk=Risk.MEDIUM, repeat=Repeat.ONCE
)
LIBRARY = Library((), None, None, None)


def asked(state: Path, unit: str = "api") -> list[tuple[int, str]]:
    found = restarts(RestartsArguments(unit=unit, state=state, library=LIBRARY))
    return [(round(one.seconds), one.until) for one in found]


def test_a_restart_helped_until_its_memory_was_back(tmp_path: Path) -> None:
    assert asked(tmp_path) == []
    now = SystemClock().now().utc
    with closing(Store.open(tmp_path)) as store:
        number = store.begin(
            RESTART, "restart", Here(run="R", host="db", runbook="x", now=now - 9000, machine="m"), "ada"
        )
        assert isinstance(number, int)
        store.end(number, "done", now - 8990)
    assert asked(tmp_path)[0][1] == "still"
    course = ((9100, 8.0, "a"), (8900, 1.0, "b"), (5000, 9.0, "b"))
    points = tuple(Observation(now - ago, value, life) for ago, value, life in course)
    Stored(tmp_path).past().keep("other-name", "m", [Series("unit", "api.service", "units.own_bytes", points)])
    assert asked(tmp_path) == [(3990, "memory was back")]
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert asked(tmp_path)[0][1] == "still"


def test_a_service_whose_name_is_too_long_to_be_kept_helped_too(tmp_path: Path) -> None:
    now, name = SystemClock().now().utc, f"{'n' * 300}.service"
    change = Change(
        action="restart_unit", summary="Restart", target=name, script=":", risk=Risk.MEDIUM, repeat=Repeat.ONCE
    )
    with closing(Store.open(tmp_path)) as store:
        here = Here(run="R", host="db", runbook="x", now=now - 9000, machine="m")
        number = store.begin(change, "restart", here, "ada")
        assert isinstance(number, int)
        store.end(number, "done", now - 8990)
    course = ((9100, 8.0, "a"), (8900, 1.0, "b"), (5000, 9.0, "b"))
    points = tuple(Observation(now - ago, value, life) for ago, value, life in course)
    Stored(tmp_path).past().keep("db", "m", [Series("unit", kept_name(name), "units.own_bytes", points)])
    assert asked(tmp_path, name) == [(3990, "memory was back")]
