"""Every recorded host, looked at on one machine and drawn on another: it is drawn as if it had been looked at there."""

from __future__ import annotations

import io

import pytest
from tests.hosts.told import HERE, LIBRARY, judged

from memrunbook.app.carried_looks import pack_judged, pack_planned, unpack_judged, unpack_planned
from memrunbook.app.firing import _looked
from memrunbook.app.held_up import HeldUp
from memrunbook.app.planning import PlanArguments, plan_each
from memrunbook.app.shadowing import SCORED_BY
from memrunbook.cli.commands.diagnose import _code_of
from memrunbook.core.instant import Instant
from memrunbook.core.plan.headline import headline
from memrunbook.core.plan.judged import Judged, Planned
from memrunbook.documents.printed.diagnose import printed_host
from memrunbook.documents.printed.plan import planned_host
from memrunbook.documents.written import without_secrets
from memrunbook.state.store.orders import packed
from memrunbook.transports.shared.bundle import SUFFIX, bundles
from memrunbook.ui.block import Block
from memrunbook.ui.diagnosis import diagnosis_view
from memrunbook.ui.plan import plan_head
from memrunbook.ui.plans import plans_view
from memrunbook.ui.screen import Screen

RECORDED = {path.name.removesuffix(SUFFIX): path for path in bundles(HERE)}
NAMES = sorted(RECORDED)
OFF = "changes are switched off: a drill"
NOW = Instant(1.8e9, 0.0)
SMALL, PRINTED, WHOLE = 2 << 10, 12 << 10, 40 << 10
"""Bytes: 20,000 hosts every five minutes are 130 KiB a second of the smallest."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    return dict(zip(RECORDED, judged(RECORDED, tmp_path_factory.mktemp("state")), strict=True))


@pytest.fixture(scope="module", params=["oom-event", "memory-shortage"])
def planned(
    request: pytest.FixtureRequest, found: dict[str, Judged], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Planned, HeldUp]]:
    hosts = tuple(one.reached.host for one in found.values())
    arguments = PlanArguments(
        runbook=request.param, hosts=hosts, library=LIBRARY, state=tmp_path_factory.mktemp("state"), besides=SCORED_BY
    )
    return dict(zip(found, plan_each(arguments, lambda one, held: (one, held)).hosts, strict=True))


def page(one: Judged) -> str:
    assert one.diagnosis is not None
    assert one.reached.snapshot is not None
    return drawn(diagnosis_view(one.diagnosis, one.reached.snapshot, now=NOW, verbose=True, off=OFF))


def drawn(blocks: list[Block]) -> str:
    screen = io.StringIO()
    Screen("never", screen, {}, 120).show(blocks)
    return screen.getvalue()


def as_found(one: Judged) -> tuple[object, ...]:
    """What a line and an exit code are made of."""
    return headline(one), _code_of(one, "incident"), _code_of(one, "warning")


@pytest.mark.parametrize("name", NAMES)
def test_a_line_and_its_code_travel_in_two_kilobytes(name: str, found: dict[str, Judged]) -> None:
    one = found[name]
    content = pack_judged(one, OFF, full=False)
    again, off = unpack_judged(content, one.reached.host)
    assert (as_found(again), off) == (as_found(one), OFF)
    assert len(packed([content])) <= SMALL


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_travels_without_the_snapshot(name: str, found: dict[str, Judged]) -> None:
    one = found[name]
    content = pack_judged(one, OFF, full=False, printed=True)
    again, off = unpack_judged(content, one.reached.host)
    assert without_secrets(printed_host(again, off)) == without_secrets(printed_host(one, OFF))
    assert as_found(again) == as_found(one)
    assert len(packed([content])) <= PRINTED


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_page_travels_with_it(name: str, found: dict[str, Judged]) -> None:
    one = found[name]
    content = pack_judged(one, OFF, full=True)
    again, off = unpack_judged(content, one.reached.host)
    assert (again, off) == (one, OFF)
    assert page(again) == page(one)
    assert len(packed([content])) <= WHOLE


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_is_saved_printed_and_scored_the_same(name: str, planned: dict[str, tuple[Planned, HeldUp]]) -> None:
    one, held = planned[name]
    again, held_up = unpack_planned(pack_planned(one, held, full=False), one.reached.host)
    assert held_up == held
    assert (again.plan, again.diagnosis) == (one.plan, one.diagnosis)
    assert without_secrets(planned_host(again, OFF)) == without_secrets(planned_host(one, OFF))
    assert _looked(again, held_up) == _looked(one, held)
    assert drawn(plans_view([again], "")) == drawn(plans_view([one], ""))


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_a_plan_travels_with_its_snapshot(name: str, planned: dict[str, tuple[Planned, HeldUp]]) -> None:
    one, held = planned[name]
    again, held_up = unpack_planned(pack_planned(one, held, full=True), one.reached.host)
    assert (again, held_up) == (one, held)
    assert head(again) == head(one)


def head(one: Planned) -> str:
    assert one.diagnosis is not None
    assert one.plan is not None
    assert one.reached.snapshot is not None
    return drawn(plan_head(one.diagnosis, one.plan, one.reached.snapshot, NOW))


def test_what_looks_like_a_secret_is_not_carried(found: dict[str, Judged]) -> None:
    one = found["leaking-service"]
    for full in (False, True):
        again, off = unpack_judged(pack_judged(one, "password=hunter22", full=full), one.reached.host)
        assert off == "password=[redacted]"
        assert headline(again) == headline(one)
