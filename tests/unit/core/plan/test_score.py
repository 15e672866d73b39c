"""What became of the cases of a schedule that only plans: each kind of end, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec import structs

from memrunbook.core.plan.limits import PastChange, PastRun
from memrunbook.core.plan.score import Aftermath, ScoredCase, Trace, judge
from memrunbook.core.plan.shadows import Case, HostSighting, Shadow, UnforeseenKills, cases_of, joined, unforeseen
from memrunbook.core.reading.series import Observation, Series

HOUR = 3600.0
NOW = 100 * HOUR
UNIT = "api.service"


def sight(hour: float, found: str = "acts", **more: object) -> HostSighting:
    at = hour * HOUR
    told = {"machine": "m", "boot": "b", "kills": 0, **more}
    return HostSighting(
        schedule="leaks", host="web", runbook="memory-leak", found=found, firing=f"leaks@{hour}",  # type: ignore[arg-type]
        since=at, until=at, **told,  # type: ignore[arg-type]
    )  # fmt: skip


def course(*seen: HostSighting) -> list[HostSighting]:
    """As the store keeps them."""
    rows: list[HostSighting] = []
    for one in seen:
        both = joined(rows[-1], one) if rows else None
        rows[-1:] = [both] if both else [*rows[-1:], one]
    return rows


def shadow(hour: float, step: str = "restart", target: str = UNIT, *, asks: bool = False) -> Shadow:
    return Shadow(
        firing=f"leaks@{hour}", schedule="leaks", host="web", machine="m", runbook="memory-leak", at=hour * HOUR,
        step=step, action="restart_unit", target=target, summary=f"Restart {target}", digest="d", risk=2, asks=asks,
    )  # fmt: skip


def memory(*runs: tuple[float, str]) -> Series:
    """Points of the unit at these hours, each in a run of it."""
    points = tuple(Observation(hour * HOUR, 1e9, life) for hour, life in runs)
    return Series("unit", UNIT, "units.own_bytes", points)


def steady(first: int, last: int) -> Series:
    return memory(*((float(hour), "r1") for hour in range(first, last + 1)))


def change(begun: float, *, state: str = "done") -> PastChange:
    return PastChange(
        run="R", host="web", action="restart_unit", target=UNIT, risk=2, begun=begun * HOUR,
        ended=begun * HOUR + 60, state=state, machine="m",
    )  # fmt: skip


def only(seen: Sequence[HostSighting]) -> Case:
    (case,) = cases_of(seen, [shadow(10.0)])
    return case


def scored(
    seen: Sequence[HostSighting], *series: Series, changes: tuple[PastChange, ...] = (), runs: tuple[PastRun, ...] = (),
    now: float = NOW,
) -> ScoredCase:  # fmt: skip
    return judge(only(seen), Aftermath(series, changes, runs), now)


def told(one: ScoredCase, what: str) -> Trace:
    (found,) = [trace for trace in one.traces if trace.what == what]
    return found


ENDED = course(sight(9, "over"), sight(10), sight(11), sight(12), sight(13, "over"))


def test_consecutive_firings_are_one_case_until_one_finds_it_over() -> None:
    flapping = course(*(sight(hour, "over" if hour % 3 == 0 else "acts") for hour in range(10, 20)))
    assert [(one.first.since / HOUR, one.held_until / HOUR, one.end) for one in cases_of(flapping, [])] == [
        (10, 11, "over"), (13, 14, "over"), (16, 17, "over"), (19, 19, "open"),
    ]  # fmt: skip


def test_one_for_which_nothing_may_be_done_begins_no_case_and_ends_none() -> None:
    seen = course(sight(9, "stuck"), sight(10), sight(11, "stuck"), sight(12, "unknown"), sight(13, "over"))
    case = only(seen)
    assert (case.first.since, case.held_until, case.end) == (10 * HOUR, 11 * HOUR, "over")
    assert cases_of(course(sight(9, "stuck"), sight(10, "over")), []) == ()


def test_its_steps_are_told_once_those_of_its_beginning_first() -> None:
    steps = [shadow(10.0), shadow(11.0), shadow(12.0, "limit", asks=True), shadow(12.0), shadow(20.0, "later")]
    (case,) = cases_of(ENDED, steps)
    assert [(one.step, one.at / HOUR) for one in case.steps] == [("restart", 10), ("limit", 12)]
    assert not case.asks
    assert (case.steps[0].risk_word, structs.replace(case.steps[0], risk=None).risk_word) == ("medium", "")
    (asked,) = cases_of(ENDED, [shadow(10.0, asks=True)])
    assert asked.asks


def test_it_recovered_alone_only_where_nobody_did_anything() -> None:
    one = scored(ENDED, steady(9, 13))
    assert (one.fate, one.seconds) == ("recovered", 3 * HOUR)
    assert told(one, "over").of == "leaks@13"


def test_without_a_history_it_is_over_and_not_known_how() -> None:
    one = scored(ENDED)
    assert one.fate == "over"
    assert told(one, "unread").of == UNIT
    assert scored(ENDED, steady(9, 11)).fate == "over", "the unit was among the largest no more"


def test_oom_kills_that_were_not_read_leave_it_open_whether_there_was_one() -> None:
    seen = course(sight(10, kills=None), sight(12, "over", kills=None))
    one = scored(seen, steady(9, 13))
    assert (one.fate, told(one, "unread").of) == ("over", "")


def test_an_oom_kill_is_what_counts_whoever_restarted_it_then() -> None:
    seen = course(sight(10), sight(11, kills=2), sight(12, "over", kills=2))
    one = scored(seen, memory((10.0, "r1"), (11.0, "r2"), (12.0, "r2")), changes=(change(11.5),))
    kills = told(one, "kills")
    assert (one.fate, kills.count, kills.after, kills.before) == ("OOM kill", 2, 10 * HOUR, 11 * HOUR)
    assert not [trace for trace in one.traces if trace.what == "began anew"], "the kill is why it began anew"


def test_a_kill_before_it_would_have_acted_is_no_end_of_it_but_came_without() -> None:
    seen = course(sight(9, "over"), sight(10, kills=1), sight(11, "over", kills=1), sight(12, "over", kills=4))
    one = scored(seen, steady(9, 12))
    assert one.fate == "recovered"
    assert unforeseen(seen, [one.case]) == (
        UnforeseenKills("web", 1, 9 * HOUR, 10 * HOUR), UnforeseenKills("web", 3, 11 * HOUR, 12 * HOUR),
    )  # fmt: skip


def test_a_kill_within_a_case_did_not_come_without_it() -> None:
    seen = course(sight(10), sight(11, "over", kills=1))
    assert unforeseen(seen, cases_of(seen, [])) == ()
    assert unforeseen(course(sight(9, "over"), sight(10, "over", kills=5, machine="other")), []) == ()


def test_kills_are_counted_from_0_after_a_boot_and_not_where_they_were_not_read() -> None:
    counts = ((1, "b", 7), (2, "c", 2), (3, "c", None), (4, "c", 3))
    seen = course(*(sight(hour, "over", boot=boot, kills=kills) for hour, boot, kills in counts))
    assert [(one.count, one.before / HOUR) for one in unforeseen(seen, [])] == [(2, 2), (1, 4)]


def test_a_new_run_of_the_unit_without_one_of_ours_is_a_restart_by_hand() -> None:
    by_hand = memory((10.0, "r1"), (11.0, "r1"), (12.0, "r2"), (13.0, "r2"))
    one = scored(ENDED, by_hand)
    anew = told(one, "began anew")
    assert (one.fate, anew.of, anew.after, anew.before) == ("restarted by hand", UNIT, 11 * HOUR, 12 * HOUR)
    assert scored(ENDED, by_hand, changes=(change(11.5),)).fate == "our run"
    assert scored(ENDED, by_hand, changes=(change(11.5, state="failed"),)).fate == "restarted by hand"
    assert scored(ENDED, by_hand, changes=(change(5.0),)).fate == "restarted by hand", "that was long before"


def test_a_restart_of_which_the_time_is_not_certain_is_none_by_hand_and_no_recovery_alone() -> None:
    one = scored(ENDED, memory((9.5, "r1"), (10.5, "r2"), (13.0, "r2")))
    assert one.fate == "over"
    assert not told(one, "began anew").sure


def test_a_restart_in_the_middle_is_not_alone_however_late_it_was_over() -> None:
    assert scored(ENDED, memory((10.0, "r1"), (10.5, "r2"), (13.0, "r2"))).fate == "restarted by hand"


def test_a_reboot_ends_it() -> None:
    seen = course(sight(10), sight(11, "over", boot="c"))
    one = scored(seen, memory((10.0, "r1"), (11.0, "r2")))
    assert one.fate == "rebooted"
    assert (told(one, "boot").after, told(one, "boot").before) == (10 * HOUR, 11 * HOUR)


def test_a_run_that_found_it_well_ends_it_too() -> None:
    run = PastRun(run="R9", host="web", runbook="memory-leak", outcome="healthy", at=12 * HOUR, changed=False)
    seen = course(sight(10), sight(11))
    one = scored(seen, steady(9, 12), runs=(run,))
    assert (one.fate, told(one, "run").run, one.seconds) == ("recovered", "R9", 2 * HOUR)
    other = structs.replace(run, runbook="oom-event")
    assert scored(seen, steady(9, 12), runs=(other,)).fate == "unknown"


def test_what_was_there_of_late_still_holds_and_what_nobody_looked_at_since_is_not_known() -> None:
    seen = course(*(sight(hour) for hour in range(10, 15)))
    assert scored(seen, now=15 * HOUR).fate == "holds"
    assert scored(seen, now=15 * HOUR).seconds == 4 * HOUR
    assert scored(seen, now=20 * HOUR).fate == "unknown"
    assert scored(course(sight(10)), now=20 * HOUR).fate == "holds", "one look alone does not say how often they come"


def test_of_a_host_that_is_lost_nothing_is_known_but_what_its_history_says() -> None:
    seen = course(sight(10), sight(11), *(sight(hour, "unreached", machine="", boot="", kills=None, why=f"{hour}")
                                          for hour in range(12, 15)))  # fmt: skip
    one = scored(seen, now=14 * HOUR)
    lost = told(one, "unreached")
    assert (one.fate, lost.count, lost.why) == ("unknown", 3, "12")
    kills = Series("host", "", "vmstat.oom_kills", (Observation(11 * HOUR, 0, "b"), Observation(11.5 * HOUR, 1, "b")))
    assert scored(seen, kills, now=14 * HOUR).fate == "OOM kill"
    boots = Series("host", "", "vmstat.oom_kills", (Observation(13 * HOUR, 0, "c"),))
    assert scored(seen, boots, now=14 * HOUR).fate == "rebooted"


def test_a_restart_before_it_was_last_seen_did_not_end_it() -> None:
    seen = course(sight(10), sight(11), sight(12))
    assert scored(seen, memory((10.0, "r1"), (10.5, "r2"), (12.0, "r2")), now=12.5 * HOUR).fate == "holds"
    late = memory((10.0, "r1"), (12.0, "r1"), (12.2, "r2"))
    assert scored(seen, late, now=12.5 * HOUR).fate == "restarted by hand"


@pytest.mark.parametrize("more", [{"machine": "other"}, {"runbook": "oom-event"}])
def test_another_machine_or_runbook_ends_a_case_of_which_nothing_is_known(more: dict[str, str]) -> None:
    seen = course(sight(10), structs.replace(sight(11), **more))
    cases = cases_of(seen, [])
    assert [one.end for one in cases] == [f"another {next(iter(more))}", "open"]
    assert judge(cases[0], Aftermath(), NOW).fate == "unknown"


def test_a_clock_that_went_back_makes_no_recovery_alone() -> None:
    seen = course(sight(10), sight(12), sight(11), sight(11.5, "over"))
    assert len(seen) == 3, "what the clock did is kept"
    one = scored(seen, steady(9, 13))
    assert one.fate == "over"
    assert (told(one, "clock").before - told(one, "clock").after) == HOUR


def test_sightings_that_say_the_same_are_one_row() -> None:
    first, second = sight(10, why="a"), sight(13, why="b")
    both = joined(first, second)
    assert both is not None
    assert (both.since, both.until, both.count, both.widest, both.why) == (10 * HOUR, 13 * HOUR, 2, 3 * HOUR, "a")
    assert joined(both, second) is both, "the same one, kept a second time"
    for key, other in (("found", "over"), ("boot", "c"), ("kills", 1), ("machine", "n"), ("runbook", "x")):
        assert joined(first, structs.replace(second, **{key: other})) is None
