from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.action.action import Change, Repeat, Risk
from memrunbook.core.action.policy import Care
from memrunbook.core.plan.limits import (
    Here,
    History,
    Limits,
    PastChange,
    PastRun,
    busy_elsewhere,
    held_back,
    is_at_a_peer,
    peers_of,
)
from memrunbook.core.units import DAY, HOUR, MINUTE

NOW = 100 * DAY
HERE = Here(run="R2", host="web-1", runbook="memory-leak", now=float(NOW))
LIMITS = Limits()


def change(risk: Risk = Risk.MEDIUM, **changes: Any) -> Change:
    known = {"action": "restart_unit", "summary": "Restart", "target": "api.service", "script": ":"}
    return Change(**{**known, "risk": risk, "repeat": Repeat.ONCE, **changes})


def past(ago: float, **changes: Any) -> PastChange:
    known = {"run": "R1", "host": "web-1", "action": "restart_unit", "target": "api.service", "risk": 2}
    return PastChange(**{**known, "begun": NOW - ago - 5, "ended": NOW - ago, "state": "done", **changes})


def ran(ago: float, outcome: str = "unresolved", **changes: Any) -> PastRun:
    known = {"run": f"R1-{ago}", "host": "web-1", "runbook": "memory-leak", "changed": True}
    return PastRun(**{**known, "outcome": outcome, "at": NOW - ago, **changes})


def why(changes: tuple[PastChange, ...] = (), runs: tuple[PastRun, ...] = (), **more: Any) -> str:
    return "; ".join(held_back(more.get("change", change()), more.get("here", HERE), History(changes, runs), LIMITS))


def test_nothing_done_before_holds_nothing_back() -> None:
    assert why() == ""


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (past(5 * MINUTE), "the same was done 5 min ago by run R1"),
        (past(5 * MINUTE, state="failed"), "10 min left"),
        (past(5 * MINUTE, ended=None), "was done"),
        (past(16 * MINUTE), "more than once an hour is no cure"),
        (past(-HOUR), "the same was done 0.0 s ago"),
        (past(2 * HOUR), ""),
        (past(5 * MINUTE, run="R2"), ""),
        (past(5 * MINUTE, host="web-2"), ""),
        (past(5 * MINUTE, target="db.service"), ""),
        (past(5 * MINUTE, action="stop_unit"), ""),
    ],
)
def test_what_was_just_done_is_given_time(one: PastChange, expected: str) -> None:
    found = why((one,))
    assert expected in found
    assert bool(found) == bool(expected)


def test_what_a_clock_that_was_ahead_remembered_holds_nothing_back_for_hours() -> None:
    wrong = tuple(past(-6 * HOUR - n, run=f"W{n}") for n in range(6))
    assert why(wrong) == ""
    assert why(runs=tuple(ran(-6 * HOUR - n) for n in range(3))) == ""
    assert why(tuple(past(-6 * HOUR, host=f"db-{n}", machine=f"m{n}") for n in range(4))) == "", "no storm"
    assert busy_elsewhere(change(), HERE, History((past(-6 * HOUR, host="web-2", ended=None),))) is None
    assert "cool-down" in why((past(5 * MINUTE), *wrong)), "what was done at a time that was counts"
    near = past(-MINUTE, host="web-2", ended=None)
    assert busy_elsewhere(change(), HERE, History((near,))) == near, "clocks of two nodes differ a little"


def test_a_host_is_the_same_by_whatever_name_it_is_reached() -> None:
    there = msgspec.structs.replace(HERE, host="10.0.0.5", machine="m1")
    one = past(5 * MINUTE, machine="m1")
    assert "the same was done" in why((one,), here=there)
    assert why((msgspec.structs.replace(one, machine="m2"),), here=there) == ""
    assert why((past(5 * MINUTE),), here=there) == ""
    names = tuple(past(MINUTE, host=f"web-{n}", machine="m2") for n in (2, 3, 4))
    assert why(names, here=there) == "", "one other host under three names is no storm"
    under_way = msgspec.structs.replace(one, ended=None)
    assert busy_elsewhere(change(), there, History((under_way,))) is None
    assert busy_elsewhere(change(), msgspec.structs.replace(there, machine="m3"), History((under_way,))) == under_way


def test_a_low_risk_is_held_back_by_runs_that_did_not_help_alone_and_a_read_by_nothing() -> None:
    low, runs = change(Risk.LOW), tuple(ran(HOUR * n) for n in (3, 2, 1))
    assert why((past(MINUTE),), change=low) == ""
    assert "3 runs of memory-leak in 24 h did not end the incident" in why(runs=runs, change=low)
    gone_on_with = (ran(3 * HOUR), *(ran(HOUR * n, run="R1") for n in (2, 1)))
    assert why(runs=gone_on_with, change=low) == "", "two runs, of which one ended twice"
    assert why(runs=tuple(ran(HOUR * n, run="R2") for n in (3, 2, 1)), change=low) == "", "it is this very run"
    assert why((past(MINUTE),), runs, change=change(Risk.NONE, repeat=Repeat.READ)) == ""


def test_a_cure_that_does_not_last_is_none() -> None:
    often = tuple(past(n * 6 * HOUR) for n in (5, 4, 3, 2))
    assert why(often[:3]) == ""
    assert "4 times in 7 days, each helped about" in why(often)
    assert why(tuple(past(n * 6 * HOUR + 8 * DAY) for n in (5, 4, 3, 2))) == ""


def test_a_run_has_a_budget_of_what_users_notice() -> None:
    spent = tuple(past(MINUTE, run="R2", target=f"{name}.service") for name in "abc")
    assert "that is its budget" in why(spent)
    assert why(spent[:2]) == ""
    assert why(tuple(past(MINUTE, run="R2", risk=1, target=name) for name in "abc")) == ""


def test_a_host_has_a_budget_of_an_hour_whoever_spends_it() -> None:
    spent = tuple(past(MINUTE, run=f"R{n}", target=f"{n}.service", action="stop_unit") for n in range(10, 16))
    assert "6 changes that users may notice were made here within the last hour" in why(spent)
    assert why(spent[1:]) == ""
    assert why(tuple(msgspec.structs.replace(one, host="web-2") for one in spent)) == ""
    assert why(tuple(msgspec.structs.replace(one, begun=NOW - HOUR, ended=None) for one in spent)) == ""


@pytest.mark.parametrize(
    ("outcomes", "held"),
    [
        (("unresolved", "failed", "improved"), True),
        (("unresolved", "failed"), False),
        (("unresolved", "failed", "resolved", "failed"), False),
        (("resolved", "failed", "failed", "failed"), True),
        (("refused", "refused", "refused"), True),
        (("failed", "interrupted", "unknown", "resolved"), False),
        (("unreachable", "interrupted", "unknown"), True),
    ],
)
def test_runs_that_do_not_help_stop_until_a_person_looks(outcomes: tuple[str, ...], held: bool) -> None:  # noqa: FBT001
    runs = tuple(ran(HOUR * (len(outcomes) - n), outcome) for n, outcome in enumerate(outcomes))
    assert ("a person must look first" in why(runs=runs)) == held


def test_runs_of_another_runbook_of_long_ago_or_without_a_change_say_nothing_of_it() -> None:
    runs = [ran(HOUR), ran(HOUR, runbook="other"), ran(2 * DAY), ran(HOUR, changed=False)]
    assert why(runs=(*runs, *runs[1:], *runs[1:])) == ""


def test_many_hosts_with_the_same_at_once_are_a_storm() -> None:
    hosts = tuple(past(MINUTE, host=f"web-{n}") for n in (2, 3, 4))
    assert "bad deploy" in why(hosts)
    assert why(hosts[:2]) == ""
    many = Here(run="R2", host="web-1", runbook="memory-leak", now=float(NOW), hosts=1000)
    assert why(hosts, here=many) == "", "2 % of 1,000 hosts are 20"
    assert why(tuple(past(20 * MINUTE, host=f"web-{n}") for n in (2, 3, 4))) == ""


@pytest.mark.parametrize(
    ("one", "busy"),
    [
        (past(0, host="web-2", begun=NOW - 60.0, ended=None), True),
        (past(0, host="web-2", begun=NOW - 2.0 * HOUR, ended=None), False),
        (past(0, host="web-2", begun=NOW - 60.0, ended=NOW - 1.0), False),
        (past(0, host="web-1", begun=NOW - 60.0, ended=None), False),
        (past(0, host="web-2", begun=NOW - 60.0, ended=None, target="db.service"), False),
    ],
)
def test_one_host_at_a_time_for_each_name(one: PastChange, busy: bool) -> None:  # noqa: FBT001
    assert (busy_elsewhere(change(), HERE, History((one,))) is one) == busy
    assert busy_elsewhere(change(Risk.LOW), HERE, History((one,))) is None


@given(st.lists(st.tuples(st.floats(0, 10 * DAY), st.sampled_from(["web-1", "web-2"]), st.sampled_from(["R1", "R2"]))))
def test_more_history_never_lets_more_through(seen: list[tuple[float, str, str]]) -> None:
    changes = tuple(past(ago, host=host, run=run) for ago, host, run in sorted(seen, reverse=True))
    for count in range(len(changes)):
        if why(changes[count:]):
            assert why(changes)


CARE = Care(max_parallel=2, peers=("db-*", "web-7"))


@pytest.mark.parametrize(
    ("elsewhere", "care", "host"),
    [
        ((("web-2", "api.service"),), None, "web-2"),
        ((("web-2", "db.service"),), None, ""),
        ((("web-2", "api.service"),), CARE, ""),
        ((("web-2", "api.service"), ("web-2", "api.service")), CARE, ""),
        ((("web-2", "api.service"), ("web-3", "api.service")), CARE, "web-3"),
        ((("db-1", "other.service"),), CARE, "db-1"),
        ((("web-7", "other.service"),), CARE, "web-7"),
        ((("web-71", "other.service"), ("xdb-1", "other.service")), CARE, ""),
        ((("web-1", "api.service"), ("web-1", "other.service")), CARE, ""),
    ],
)
def test_as_many_hosts_at_once_as_services_yaml_says_and_of_peers_one(
    elsewhere: tuple[tuple[str, str], ...], care: Care | None, host: str
) -> None:
    under_way = tuple(past(MINUTE, host=name, target=target, ended=None) for name, target in elsewhere)
    found = busy_elsewhere(change(care=care), HERE, History(under_way))
    assert (found.host if found else "") == host


@pytest.mark.parametrize(
    ("mine", "theirs", "busy"),
    [
        (("web-2",), (), True),
        ((), ("web-1",), True),
        (("web-3", "web-2"), ("web-1",), True),
        ((), ("web-[0-9]",), True),
        (("web-3",), ("web-3",), False),
        ((), (), False),
    ],
)
def test_a_peer_waits_whichever_of_both_names_the_other(
    mine: tuple[str, ...],
    theirs: tuple[str, ...],
    busy: bool,  # noqa: FBT001
) -> None:
    there = past(MINUTE, host="web-2", target="db.service", ended=None, peers=theirs)
    here = msgspec.structs.replace(HERE, peers=mine)
    assert (busy_elsewhere(change(), here, History((there,))) is there) == busy
    assert busy_elsewhere(change(Risk.LOW), here, History((there,))) is None
    over = msgspec.structs.replace(there, ended=float(NOW))
    assert busy_elsewhere(change(), here, History((over,))) is None
    dead = msgspec.structs.replace(there, begun=NOW - 2.0 * HOUR)
    assert busy_elsewhere(change(), here, History((dead,))) is None


def test_one_at_the_same_target_is_a_peer_only_where_somebody_says_so() -> None:
    there = past(MINUTE, host="web-2", target="api.service", ended=None)
    assert not is_at_a_peer(there, change(), HERE)
    assert is_at_a_peer(there, change(care=Care(max_parallel=2, peers=("web-2",))), HERE)
    assert is_at_a_peer(msgspec.structs.replace(there, peers=("web-1",)), change(), HERE)


def test_what_services_yaml_and_the_inventory_name_are_peers_alike() -> None:
    here = msgspec.structs.replace(HERE, peers=("web-2", "web-7"))
    assert peers_of(change(care=CARE), here) == ("web-2", "web-7", "db-*")
    assert peers_of(change(), here) == ("web-2", "web-7")


def test_the_same_unit_is_disturbed_on_one_host_at_a_time_whatever_is_done_to_it() -> None:
    stopping = past(MINUTE, host="web-2", action="stop_unit", ended=None)
    assert busy_elsewhere(change(), HERE, History((stopping,))) == stopping
    assert busy_elsewhere(change(Risk.LOW), HERE, History((stopping,))) is None
    mild = past(MINUTE, host="web-2", ended=None, risk=1)
    assert busy_elsewhere(change(), HERE, History((mild,))) is None


@pytest.mark.parametrize("state", ["failed", "undone", "unknown"])
def test_what_did_not_do_well_on_another_host_is_looked_at_first(state: str) -> None:
    bad = past(2 * MINUTE, host="web-2", state=state)
    assert f"on web-2 the same ended 2 min ago as {state} (run R1): look there first" in why((bad,)), why((bad,))
    assert why((past(16 * MINUTE, host="web-2", state=state),)) == ""
    assert why((past(2 * MINUTE, host="web-2", state="done"),)) == ""


def test_a_storm_is_called_what_it_is_and_says_what_to_do() -> None:
    many = tuple(past(MINUTE, host=f"web-{n}") for n in (2, 3, 4))
    assert why(many[:2]) == ""
    assert "3 other hosts had the same change within 15 min" in why(many)
    assert "a bad deploy or a bad rule, not like a leak: stop the rollout or the rule" in why(many)
    assert "look at one of them first" in why(many)
