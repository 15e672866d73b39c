"""In what a saved plan and the world differ, in words."""

from __future__ import annotations

import msgspec
from tests.lab.scripted import at
from tests.lab.small import runbook, snapshot, step

from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.plan.saved import allowed, not_approved, other_decision, other_host, other_time

BOOK = runbook(step("each", for_each="units.all", values={"unit": "= item.name"}, limit=2))
PLAN = make_plan(BOOK, snapshot(0.0, **at(5.0, "web", "db")))
DIGESTS = tuple(one.digest for one in PLAN.changes)


def test_a_host_is_told_by_its_machine_id_its_key_and_its_boot() -> None:
    known = HostIdentity(address="10.0.0.7", host_key="SHA256:a", machine_id="m", boot_id="b", user="root")
    assert other_host(known, msgspec.structs.replace(known, address="10.0.0.8", user="ada")) is None
    for name in ("machine_id", "host_key", "boot_id"):
        other = other_host(known, msgspec.structs.replace(known, **{name: ""}))
        assert other is not None
        assert other.now.endswith(" not known")


def test_each_item_has_a_digest_of_its_own() -> None:
    assert allowed(PLAN, DIGESTS, "each") == set(DIGESTS)
    assert allowed(PLAN, DIGESTS, "other") == frozenset()
    assert other_decision(PLAN, DIGESTS, PLAN) is None
    fresh = make_plan(BOOK, snapshot(0.0, **at(5.0, "web", "cron")))
    other = other_decision(PLAN, DIGESTS, fresh)
    assert other is not None
    assert other.what == "step each/cron is not what was approved"
    assert other.approved.count("Adjust") == 2


def test_a_step_that_was_not_in_the_plan_is_said() -> None:
    [step_, *_] = PLAN.changes
    nothing = msgspec.structs.replace(PLAN, steps=())
    assert not_approved(nothing, step_).approved == "nothing"
    blocked = msgspec.structs.replace(step_, decision="blocked", why="a guard", change=None)
    said = not_approved(msgspec.structs.replace(PLAN, steps=(blocked,)), step_)
    assert said.approved == "blocked: a guard"


def test_a_plan_has_its_time() -> None:
    now = PLAN.taken_at

    def at_(seconds: float) -> Instant:
        return Instant(now.utc + seconds, 0.0)

    assert other_time(PLAN, at_(0.0)) is None
    assert other_time(PLAN, at_(-30.0)) is None, "two clocks are never the same"
    for seconds, words in ((901.0, "expired"), (-3600.0, "from the future")):
        other = other_time(PLAN, at_(seconds))
        assert other is not None
        assert words in other.what


def test_what_speaks_for_a_change_is_kept_with_it() -> None:
    [first, *_] = PLAN.changes
    assert first.evidence[0][0] == "Memory is short"
    assert first.evidence[-1][0] == "web"
