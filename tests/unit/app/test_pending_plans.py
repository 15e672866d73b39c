"""Plans that wait: which are listed, by what they are declined, and when a kept file goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec import structs
from tests.lab.scripted import at
from tests.lab.small import runbook, snapshot, step

from memrunbook.app.declining import decline_plan
from memrunbook.app.pending_plans import KEPT, PendingArguments, forget_plans, pending
from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.core.instant import Instant
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.plan.saved import SavedPlan
from memrunbook.core.units import DAY, HOUR
from memrunbook.documents.library import Library
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.approvals import approvals_file
from memrunbook.state.plans import save_plan
from memrunbook.state.waiting import plan_path

PLAN = make_plan(runbook(step("one")), snapshot(0.0, **at(5.0, "web")))
LIBRARY = Library((), None, None, None)


def kept(path: Path, *, until: float, approved: bool = False) -> Path:
    """A plan that lasts until so many seconds from now (past: below 0), written an hour before its end."""
    ends = SystemClock().now().utc + until
    plan = structs.replace(PLAN, taken_at=Instant(ends - HOUR, 0.0), expires_at=ends)
    digests = (tuple(one.digest for one in plan.changes),)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_plan(
        path, SavedPlan(engine="0", creator="ada", runbook="lab", hosts=(Host("lab"),), plans=(plan,), digests=digests)
    )
    if approved:
        approvals_file(path).write_text("")
    for one in (path, approvals_file(path)):
        if one.exists():
            os.utime(one, (ends - HOUR, ends - HOUR))
    return path


def listed(state: Path, *, expired: bool = False) -> list[Path]:
    return [one.path for one in pending(PendingArguments(state=state, library=LIBRARY, expired=expired))]


def test_the_newest_is_first_and_one_whose_time_is_over_is_listed_for_a_week_if_asked_for(tmp_path: Path) -> None:
    old = kept(plan_path(tmp_path, "night", "a"), until=60.0)
    new = kept(plan_path(tmp_path, "night", "b"), until=600.0)
    late = kept(plan_path(tmp_path, "night", "c"), until=-6 * DAY)
    kept(plan_path(tmp_path, "night", "d"), until=-8 * DAY)
    assert listed(tmp_path) == [new, old]
    assert listed(tmp_path, expired=True) == [new, old, late]


def test_a_file_that_is_no_plan_is_passed_over(tmp_path: Path) -> None:
    plan_path(tmp_path, "night", "a").write_text("{")
    plan_path(tmp_path, "night", "b").mkdir()
    good = kept(plan_path(tmp_path, "night", "c"), until=60.0)
    assert listed(tmp_path) == [good]


def test_an_id_that_two_plans_begin_with_declines_none(tmp_path: Path) -> None:
    asked = PendingArguments(state=tmp_path, library=LIBRARY)
    number, seen = 0, dict[str, Path]()
    while True:  # until two digests begin alike: 17 at the most
        path = kept(plan_path(tmp_path, "night", f"host-{number}"), until=60.0 + number)
        one = next(one for one in pending(asked) if one.path == path)
        if (first := one.id[0]) in seen:
            break
        seen[first], number = path, number + 1
    with pytest.raises(UsageError, match="several plans begin like that"):
        decline_plan(asked, first, "ada")
    with pytest.raises(UsageError, match="no plan that waits"):
        decline_plan(asked, "sha256:", "ada")
    assert decline_plan(asked, f"sha256:{one.digest}", "ada").path == path
    assert path not in listed(tmp_path)
    assert decline_plan(asked, first, "ada").path == seen[first], "now it names one alone"


def test_what_nobody_can_apply_any_more_goes_with_its_approvals_and_what_waits_never(tmp_path: Path) -> None:
    gone = [
        kept(plan_path(tmp_path, "night", "a"), until=-KEPT - 60.0, approved=True),
        kept(plan_path(tmp_path, "night", "a"), until=-KEPT - 60.0),  # beside the one that was approved
    ]
    orphan = gone[0].with_name("night@z.json")
    approvals_file(orphan).write_text("")
    os.utime(approvals_file(orphan), (0, 0))
    stays = [
        kept(plan_path(tmp_path, "night", "b"), until=60.0, approved=True),
        kept(plan_path(tmp_path, "night", "c"), until=-KEPT + 60.0, approved=True),
    ]
    for path in stays:  # a file that is old does not make its plan late
        os.utime(path, (0, 0))
    unread = plan_path(tmp_path, "night", "d")
    unread.write_text("{}")
    with_run = kept(tmp_path / "runs" / "20260101T000000Z-abcd" / "plan-a.json", until=-KEPT - 60.0)
    assert gone[1] != gone[0]
    forget_plans(tmp_path, SystemClock().now().utc)
    left = sorted(path for path in gone[0].parent.iterdir())
    assert left == sorted([*stays, *map(approvals_file, stays), unread])
    assert with_run.exists(), "it belongs to the run"
    assert plan_path(tmp_path, "night", "a") == gone[0], "numbers begin anew"
