"""The engine's own harm check: only what grew by more than noise, and only what could be read on both sides."""

from __future__ import annotations

import pytest
from tests.lab.small import Full, Pressure, Service, Units, snapshot

from memrunbook.core.reading.fact import Reading, Unavailable
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.harm import UnitNames, failed_in, harm

DENIED = Unavailable("denied", "permission denied")
NOBODY: tuple[UnitNames, UnitNames] = (frozenset(), frozenset())


class Listed(Reading, frozen=True, kw_only=True):
    names: list[str] | None = None


def stalled(percent: float | None) -> Snapshot:
    return snapshot(pressure=Pressure(full=Full(percent=percent)))


def failed(*names: str) -> Snapshot:
    return snapshot(units=Units(all=tuple(Service(name=name, failed=name in names) for name in ("web", "db", "cron"))))


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        (0.0, 10.0, True),
        (0.0, 9.9, False),
        (30.0, 45.0, False),
        (30.0, 45.1, True),
        (20.0, 29.0, False),
        (18.0, 27.5, False),
        (50.0, 1.0, False),
        (None, 90.0, False),
        (1.0, None, False),
    ],
)
def test_full_pressure_must_have_grown_by_half_and_by_ten(
    before: float | None,
    after: float | None,
    worse: bool,  # noqa: FBT001
) -> None:
    found = harm(stalled(before), stalled(after), "web", NOBODY)
    assert bool(found) is worse
    assert not found or found == [f"full memory pressure in % rose from {before:.1f} to {after:.1f}"]


def worse(had: UnitNames, have: UnitNames) -> list[str]:
    return harm(snapshot(), snapshot(), "web", (had, have))


def test_a_unit_that_failed_meanwhile_is_harm_unless_it_is_the_target() -> None:
    assert worse(frozenset(), frozenset({"web", "db", "cron"})) == ["cron, db failed meanwhile"]
    assert worse(frozenset({"db"}), frozenset({"db"})) == []
    assert worse(frozenset(), frozenset({"web"})) == []


def test_what_could_not_be_read_is_no_proof_of_harm() -> None:
    assert worse(None, frozenset({"db"})) == []
    assert worse(frozenset(), None) == []


def test_who_has_failed_is_told_by_the_services_or_by_the_list_of_those_that_failed() -> None:
    assert failed_in(failed("db")) == frozenset({"db"})
    assert failed_in(snapshot(units=DENIED)) is None
    assert failed_in(snapshot(failed_units=Listed(names=["db", "web"]))) == frozenset({"db", "web"})
    assert failed_in(snapshot(failed_units=Listed())) is None, "nobody was asked"
