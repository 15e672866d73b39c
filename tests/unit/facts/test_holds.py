"""What is held: the walk over groups in real shells, and whose hold it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS, sampled, tree

from memrunbook.core.reading.fact import Answer, Reading, Sample, Unavailable
from memrunbook.facts.holds import FACT, Hold, Holds, parse
from memrunbook.linux.hold import MARKS, Mark, lines
from memrunbook.linux.service import Service

MARK = "\n".join(
    (
        *lines(
            Mark(
                timer="memrunbook-r-1",
                action="freeze_unit",
                target="a.service",
                what="Freeze a.service, back after 5 min",
                run="R",
                seconds=300.0,
            )
        ),
        "since 40.00",
        "",
    )
)


class Units(Reading, frozen=True, kw_only=True):
    all: list[Service]


def read(walk: Answer, *services: Service, marks: tuple[str, ...] = ()) -> Holds | Unavailable:
    answers = {"holds": walk, **{f"{MARKS}/{place}": Answer(text) for place, text in enumerate(marks)}}
    return parse((Sample(before=100.0, after=100.0, answers=answers),), {"units": Units(all=list(services))})


@pytest.mark.parametrize("shell", SHELLS)
def test_groups_of_every_depth_and_marks_are_found(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(
        tmp_path / "cgroup",
        {
            "cgroup.controllers": "memory\n",
            "system.slice/cgroup.freeze": "0\n",
            "system.slice/a.service/cgroup.freeze": "1\n",
            "system.slice/a b.service/cgroup.freeze": "1\n",
            "system.slice/system-x.slice/x@1.service/cgroup.freeze": "1\n",
            "user.slice/user-7.slice/user@7.service/app.slice/y.service/cgroup.freeze": "1\n",
            "other.slice/cgroup.freeze": "",
        },
    )
    tree(tmp_path / "marks", {"0a1b": MARK})
    moved = {"/sys/fs/cgroup": tmp_path / "cgroup", MARKS: tmp_path / "marks"}
    (sample,) = sampled(shell, FACT.asks, moved)
    assert (sample.text("holds") or "").splitlines() == [
        "frozen /system.slice/a b.service",
        "frozen /system.slice/a.service",
        "frozen /system.slice/system-x.slice/x@1.service",
        "frozen /user.slice/user-7.slice/user@7.service/app.slice/y.service",
        "seen 6",
    ]
    assert sample.text(f"{tmp_path}/marks/0a1b") == MARK


@pytest.mark.parametrize("shell", SHELLS)
def test_the_freezer_of_version_1_is_read_where_version_2_is_beside_it(shell: tuple[str, ...], tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "unified/system.slice/a.service/cgroup.freeze": "1\n",
            "freezer/docker/c0ffee/freezer.self_freezing": "1\n",
            "freezer/docker/freezer.self_freezing": "0\n",
        },
    )
    (sample,) = sampled(shell, FACT.asks, {"/sys/fs/cgroup": tmp_path})
    assert (sample.text("holds") or "") == "frozen /system.slice/a.service\nfrozen /docker/c0ffee\nseen 3\n"


def test_whose_it_is_shows_by_its_mark() -> None:
    found = read(Answer("frozen /system.slice/a.service\nfrozen /system.slice/b.service\n"), marks=(MARK,))
    assert isinstance(found, Holds)
    ours, theirs = found.all
    assert (ours.name, ours.ours, ours.since_seconds, ours.left_seconds) == ("a.service", True, 60.0, 240.0)
    assert theirs == Hold(name="b.service", kind="frozen", what="frozen")


def test_what_systemd_alone_says_is_known_too() -> None:
    frozen, runs = Service(name="a.service", freezer_state="frozen"), Service(name="b.service", freezer_state="running")
    found = read(Answer(problem=Unavailable("absent", "holds")), frozen, runs)
    assert found == Holds(all=[Hold(name="a.service", kind="frozen", what="frozen")])


def test_where_nothing_could_be_read_nothing_is_said_to_be_free() -> None:
    denied = Unavailable("failed", "no answer")
    assert read(Answer(problem=denied)) == denied


@pytest.mark.parametrize("shell", SHELLS)
def test_a_sleeper_that_is_gone_is_told_and_one_that_sleeps_is_not(shell: tuple[str, ...], tmp_path: Path) -> None:
    own = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    pid = Path("/proc/self").resolve().name
    tree(
        tmp_path / "marks",
        {
            "asleep": f"{MARK}sleeper {pid} {own}\n",
            "gone": f"{MARK}sleeper 999999999 {own}\n",
            "reused": f"{MARK}sleeper {pid} 1\n",
            "timer": MARK,
        },
    )
    (sample,) = sampled(shell, FACT.asks, {"/sys/fs/cgroup": tmp_path / "cgroup", MARKS: tmp_path / "marks"})
    told = (sample.text("holds") or "").splitlines()
    assert told == ["seen 0", f"lost {tmp_path}/marks/gone", f"lost {tmp_path}/marks/reused"]


def test_a_hold_that_nothing_will_end_says_so() -> None:
    changed = MARK.replace("action freeze_unit", "action set_sysctl").replace(
        "target a.service", "target vm.swappiness"
    )
    found = read(Answer(f"seen 0\nlost {MARKS}/1\nlost {MARKS}/9\n"), marks=(changed, changed))
    assert isinstance(found, Holds)
    assert [hold.lost for hold in found.all] == [False, True]
