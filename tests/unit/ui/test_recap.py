from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs
from tests.golden import samples as s

from memrunbook.core.run.event import StillHeld
from memrunbook.core.run.report import HostReport, Reported
from memrunbook.ui.layout import lay_out
from memrunbook.ui.recap import in_full, recap_view

FAILED = s.finished("failed", why="exit status 1; it is left as it is", seconds=12.0)


def report(host: str, outcome: Reported = "resolved", *, why: str = "") -> HostReport:
    steps = (s.finished(), FAILED) if outcome == "failed" else (s.finished(),) if outcome == "resolved" else ()
    return HostReport(host=host, outcome=outcome, steps=steps, why=why)


def shown(reports: Sequence[HostReport], *, verbose: bool = False) -> list[str]:
    lines = lay_out(recap_view(reports, s.RUN, verbose=verbose), None)
    return ["".join(span.text for span in content).rstrip() for content in lines]


def test_the_worst_stands_first_with_its_steps_time_and_reason() -> None:
    told = shown([
        report("web-1"),
        report("web-2", "unreachable", why="no answer in 10 s"),
        report("web-3", "failed", why="step restart-grower failed"),
    ])  # fmt: skip
    assert told == [
        "Hosts, the worst first",
        "  FAILED       web-3  1 done, 1 failed  119 s   step restart-grower failed: exit status 1",
        "  UNREACHABLE  web-2  no answer in 10 s",
        "  RESOLVED     web-1  1 done            107 s",
        "",
        "NOT ALL WELL: 2 of 3 hosts: 1 failed, 1 unreachable; 1 resolved",
    ]


def test_many_that_ended_well_are_counted_and_those_that_hold_something_are_not() -> None:
    held = structs.replace(report("web-30"), others=(StillHeld(("hog is frozen",)),))
    many = [*(report(f"web-{n}") for n in range(14)), *(report(f"db-{n}", "healthy") for n in range(3)), held]
    told = shown(many)
    assert told[1] == "  RESOLVED  web-30  1 done  107 s   held: hog is frozen"
    assert told[2:4] == ["  14 hosts: RESOLVED", "  3 hosts: HEALTHY"]
    assert told[4].endswith(f"runbook report {s.RUN}")
    assert told[-1] == "ALL WELL: 18 hosts: 15 resolved, 3 healthy"
    assert len(shown(many, verbose=True)) == 18 + 3
    paged = lay_out(recap_view(many, s.RUN, every_page=True), None)
    assert len(paged) == len(told) - 1, "where every host has a page none is said to be left out"


def test_hosts_on_which_nothing_was_done_before_ctrl_c_have_one_line() -> None:
    idle = [report(f"web-{n}", "interrupted", why="Interrupted.") for n in range(20)]
    cut = structs.replace(
        report("db", "interrupted", why="a person asked to stop"),
        steps=(s.finished("interrupted", id="swap-less", seconds=0.0),),
    )
    told = shown([*idle, cut])
    assert told[1:3] == [
        "  INTERRUPTED  db        1 interrupted     step swap-less was under way",
        "  INTERRUPTED  20 hosts  web-[0:19]: nothing was done there",
    ]
    assert told[-1] == "NONE WELL: all 21 hosts: 21 interrupted"


def test_a_host_that_was_stopped_at_its_gate_was_in_the_middle_of_nothing() -> None:
    at_gate = s.finished("interrupted", id="note", why="nothing was changed: interrupted at the gate", seconds=0.0)
    told = shown([structs.replace(report("web-1", "interrupted"), steps=(at_gate,)), report("web-2")])
    assert told[1] == "  INTERRUPTED  web-1  1 interrupted          before step note: nothing was changed"


def test_an_unreachable_host_is_always_named() -> None:
    told = shown([report(f"web-{n}", "unreachable", why="no answer in 10 s") for n in range(30)])
    assert told[1:3] == ["  UNREACHABLE  30 hosts   web-[0:29]: no answer in 10 s", ""]
    odd = [report(f"{name}-web", "unreachable", why="no answer in 10 s") for name in "abcdefghijklmnop"]
    assert all(one.host in shown(odd)[1] for one in odd)


def test_hosts_on_which_nothing_was_done_for_one_reason_have_one_line_and_its_hint_and_no_page() -> None:
    key = structs.replace(report("db", "unreachable", why="the host key is not known"), hint="compare it")
    left = [report(f"web-{n}", "not_begun", why="a person asked to stop") for n in range(3)]
    other = [report(f"{name}-app", "not_begun", why="one failed") for name in "abcdefghijkl"]
    told = shown([*left, key, *other])
    assert told == [
        "Hosts, the worst first",
        "  UNREACHABLE  db         the host key is not known",
        "               hint: compare it",
        "  NOT BEGUN    3 hosts    web-[0:2]: a person asked to stop",
        "  NOT BEGUN    12 hosts   a-app, b-app, c-app and 9 more: one failed",
        "",
        "NONE WELL: all 16 hosts: 1 unreachable, 15 not begun",
    ]
    assert in_full([*left, key]) == [False] * 4
    assert in_full([key]) == [True], "of one host the page is all there is"


def test_of_many_hosts_the_pages_of_those_that_ended_badly_are_shown() -> None:
    many = [*(report(f"web-{n}") for n in range(5)), report("db", "failed")]
    assert in_full(many) == [False] * 5 + [True]
    assert in_full(many, verbose=True) == [True] * 6
    assert in_full(many[1:]) == [True] * 5
