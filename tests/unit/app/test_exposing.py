"""Figures out of what was seen: which are told, as what, and which are left out since nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from memrunbook.app import exposing
from memrunbook.app.exposing import Exposed, expose, forecasts, hosts_off, incidents, looked_at, oom_kills
from memrunbook.app.stored import Stored
from memrunbook.core.instant import Instant
from memrunbook.core.units import HOUR
from memrunbook.documents.exposition import FigureFamily
from memrunbook.documents.library import Library
from memrunbook.state.last_seen import SeenHost, SeenIncident, SeenLeak

NOW = 1.8e9
LIBRARY = Library((), None, None, None)


def exposed(monkeypatch: pytest.MonkeyPatch, *seen: Any) -> Exposed:
    of_kind = tuple([one for one in seen if isinstance(one, kind)] for kind in (SeenIncident, SeenHost))
    monkeypatch.setattr(exposing, "seen", lambda _: of_kind)
    return Exposed(Path("/nonexistent"), LIBRARY, (), Stored(Path("/nonexistent")), Instant(NOW, 0.0))


def told(family: FigureFamily) -> Mapping[str, float]:
    return {" ".join(value for _, value in labels): one for labels, one in family.figures.items()}


def test_what_could_not_be_judged_is_no_figure_but_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found = exposed(
        monkeypatch,
        SeenIncident("a", "leak", "holds", NOW - 9),
        SeenIncident("b", "leak", "fails", NOW - 8),
        SeenIncident("c", "leak", "unknown", NOW - 7),
    )
    assert told(incidents(found)) == {"a leak": 1.0, "b leak": 0.0}
    assert told(looked_at(found)) == {"a leak": NOW - 9, "b leak": NOW - 8, "c leak": NOW - 7}


def test_a_forecast_is_counted_down_from_its_reading_and_never_below_0(monkeypatch: pytest.MonkeyPatch) -> None:
    leaks = (SeenLeak("unit", "soon", 2 * HOUR), SeenLeak("unit", "over", 60.0), SeenLeak("kernel", "never", None))
    found = exposed(
        monkeypatch,
        SeenHost("a", leaks=leaks, leaks_at=NOW - HOUR),
        SeenHost("ahead", leaks=leaks[:1], leaks_at=NOW + HOUR),
        SeenHost("unread"),
    )
    assert told(forecasts(found)) == {"a unit soon": HOUR, "a unit over": 0.0, "ahead unit soon": 2 * HOUR}
    assert forecasts(found).least_first, "of too many the nearest ends are kept"


def test_kills_without_a_unit_and_hosts_of_which_nothing_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = exposed(
        monkeypatch, SeenHost("a", kills={"api.service": 2, "": 1}, switched_off=True), SeenHost("b", kills={}),
        SeenHost("c", switched_off=False),
    )  # fmt: skip
    assert told(oom_kills(found)) == {"a api.service": 2.0, "a unknown": 1.0}
    assert told(hosts_off(found)) == {"a": 1.0, "c": 0.0}, "of b that was not read"


def test_where_there_is_no_store_yet_nothing_is_said_of_it(tmp_path: Path) -> None:
    text = expose(tmp_path, LIBRARY)
    assert "\nmemrunbook_store_up " not in text
    assert "\nmemrunbook_switched_off 0\n" in text
    assert "memrunbook_notifications" not in text
