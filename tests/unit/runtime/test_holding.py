"""What takes a change for a while back: a timer of systemd, or a shell that sleeps, in real shells."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from tests.unit.runtime.real_shells import Moved, opened, program
from tests.unit.runtime.test_execute import AT, CHANGE, HOLDER, LINE, TIMED, UNIT
from tests.unit.transports.shells import each_shell

from memrunbook.actions.shared import sysfs
from memrunbook.core.action.action import Change, Undo
from memrunbook.core.run.request import Done, Failed
from memrunbook.linux.hold import Mark, read_mark
from memrunbook.runtime.execute import execute, take_back
from memrunbook.runtime.holding import HoldingRun


class Systemd:
    """What stands in for systemd: keeps the timers that it is told of, and runs one when a test says that it is due."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.mark = folder, folder / "marks" / "one"
        program(folder, "systemctl", f'printf "%s|" "$@" >>{folder}/log; rm -f "{folder}/$4"')
        kept = f"printf '%s\\0' \"$@\" >{folder}/${{5#--unit=}}.timer"
        program(folder, "systemd-run", f"[ ! -e {folder}/refuses ] && {kept}")
        (folder / "systemd").mkdir()
        monkeypatch.setattr("memrunbook.runtime.holding.place", lambda *_: str(self.mark))

    @property
    def timers(self) -> list[str]:
        return sorted(path.stem for path in self.folder.glob("*.timer"))

    def due(self, timer: str) -> str:
        """What the timer's command prints; systemd makes one dollar of two."""
        words = (self.folder / f"{timer}.timer").read_text().split("\0")[:-1]
        command = [word.replace("$$", "$") for word in words[words.index("--") + 1 :]]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    @contextmanager
    def host(self, command: tuple[str, ...]) -> Iterator[Moved]:
        with opened(command, systemd=self.folder / "systemd") as session:
            session.execute("PATH=$1:$PATH", (str(self.folder),))
            yield session


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    return Systemd(tmp_path, monkeypatch)


@each_shell
def test_in_a_real_shell_what_is_held_is_marked_until_it_is_due(command: tuple[str, ...], systemd: Systemd) -> None:
    with systemd.host(command) as session:
        assert isinstance(execute(session, TIMED, LINE, AT, HOLDER), Done)
    mark = read_mark(systemd.mark.read_text())
    assert mark is not None
    assert (mark.timer, mark.target, mark.seconds) == (UNIT, "web", 90.0)
    assert mark.since > 0.0
    assert systemd.mark.stat().st_mode & 0o777 == 0o644
    assert systemd.due(UNIT) == "undo c $d"
    assert not systemd.mark.exists()


@each_shell
@pytest.mark.parametrize(("status", "kept"), [(0, False), (3, False), (4, False), (1, True)])
def test_a_state_that_could_not_be_taken_back_stays_marked(
    command: tuple[str, ...], systemd: Systemd, status: int, kept: object
) -> None:
    change = msgspec.structs.replace(TIMED, undo=Undo("back", f"take_back() {{ return {status}; }}\ntake_back"))
    with systemd.host(command) as session:
        assert isinstance(execute(session, change, LINE, AT, HOLDER), Done)
    systemd.due(UNIT)
    assert systemd.mark.exists() is kept


@each_shell
def test_a_timer_of_an_earlier_hold_leaves_a_later_one_alone(command: tuple[str, ...], systemd: Systemd) -> None:
    later = HoldingRun("20261128T220000Z-efgh")
    ends = f"memrunbook-20261128t220000z-efgh-{TIMED.digest[:8]}"
    with systemd.host(command) as session:
        assert isinstance(execute(session, TIMED, LINE, AT, HOLDER), Done)
        left = (systemd.folder / f"{UNIT}.timer").read_bytes()
        assert isinstance(execute(session, TIMED, LINE, AT, later), Done)
    assert systemd.timers == [ends], "the earlier timer is stopped"
    (systemd.folder / f"{UNIT}.timer").write_bytes(left)
    assert systemd.due(UNIT) == "", "and had it not been, it finds that another one holds the state"
    assert f"timer {ends}\n" in systemd.mark.read_text()
    assert systemd.due(ends) == "undo c $d"


@each_shell
def test_taking_back_removes_the_mark_of_that_hold_alone(command: tuple[str, ...], systemd: Systemd) -> None:
    with systemd.host(command) as session:
        execute(session, TIMED, LINE, AT, HOLDER)
        assert isinstance(take_back(session, TIMED, LINE, AT, HoldingRun("another")), Done)
        assert systemd.mark.exists()
        assert isinstance(take_back(session, TIMED, LINE, AT, HOLDER), Done)
    assert not systemd.mark.exists()
    assert systemd.timers == []


@each_shell
def test_what_cannot_be_armed_or_marked_changes_nothing(command: tuple[str, ...], systemd: Systemd) -> None:
    refuses = systemd.folder / "refuses"
    refuses.touch()
    with systemd.host(command) as session:
        assert isinstance(execute(session, TIMED, LINE, AT, HOLDER), Failed)
        assert not systemd.mark.exists()
        refuses.unlink()
        systemd.mark.mkdir()
        (systemd.mark / "x").touch()
        systemd.mark.with_name("one.new").mkdir(exist_ok=True)
        failed = execute(session, TIMED, LINE, AT, HOLDER)
    assert isinstance(failed, Failed)
    assert systemd.timers == []


class Machine:
    """A host without systemd: a knob in a folder, and the mark beside it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.knob, self.place = folder / "swappiness", folder / "marks" / "one"
        self.knob.write_text("60\n")
        monkeypatch.setattr("memrunbook.runtime.holding.place", lambda *_: str(self.place))

    def change(self, seconds: float) -> Change:
        knob = str(self.knob)
        return msgspec.structs.replace(
            CHANGE,
            script=sysfs.SCRIPT,
            args=sysfs.arguments({knob: "10"}),
            undo=sysfs.undo({knob: "10"}, {knob: "60"}),
            back_after=seconds,
        )

    @property
    def mark(self) -> Mark:
        found = read_mark(self.place.read_text())
        assert found is not None
        return found


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def until(happened: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.05)
    return happened()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@each_shell
def test_without_systemd_a_shell_of_its_own_takes_it_back(command: tuple[str, ...], bare: Machine) -> None:
    with opened(command) as session:
        assert isinstance(execute(session, bare.change(2.0), LINE, AT, HOLDER), Done)
        assert bare.knob.read_text() == "10\n"
        mark = bare.mark
        sleeper = mark.sleeper
        assert until(lambda: os.getsid(sleeper) == sleeper), "neither the login's end nor its hang-up reaches it"
        assert Path(f"/proc/{sleeper}/oom_score_adj").read_text() == Path("/proc/self/oom_score_adj").read_text()
    assert until(lambda: bare.knob.read_text() == "60\n")
    assert until(lambda: not bare.place.exists())
    assert until(lambda: not lives(sleeper))


@each_shell
def test_what_somebody_else_set_meanwhile_is_left_alone(command: tuple[str, ...], bare: Machine) -> None:
    with opened(command) as session:
        assert isinstance(execute(session, bare.change(1.0), LINE, AT, HOLDER), Done)
    bare.knob.write_text("30\n")
    assert until(lambda: not bare.place.exists())
    assert bare.knob.read_text() == "30\n"


@each_shell
def test_taking_back_ends_the_sleeper_and_what_it_sleeps_by(command: tuple[str, ...], bare: Machine) -> None:
    with opened(command) as session:
        change = bare.change(600.0)
        assert isinstance(execute(session, change, LINE, AT, HOLDER), Done)
        sleeper = bare.mark.sleeper
        assert until(lambda: bool(group(sleeper) - {sleeper}))
        members = group(sleeper)
        assert isinstance(take_back(session, change, LINE, AT, HOLDER), Done)
        assert not bare.place.exists()
        assert until(lambda: not any(lives(pid) for pid in members))
    assert bare.knob.read_text() == "60\n"


def group(leader: int) -> set[int]:
    """The living processes of a session."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.add(int(entry.parent.name))
    return found


@each_shell
def test_a_later_hold_of_the_same_state_ends_the_sleeper_of_the_earlier_one(
    command: tuple[str, ...], bare: Machine
) -> None:
    with opened(command) as session:
        assert isinstance(execute(session, bare.change(600.0), LINE, AT, HOLDER), Done)
        first = bare.mark.sleeper
        later = HoldingRun("20261128t220000z-efgh")
        assert isinstance(execute(session, bare.change(600.0), LINE, AT, later), Done)
        second = bare.mark.sleeper
        assert until(lambda: not lives(first))
        assert lives(second)
        assert isinstance(take_back(session, bare.change(600.0), LINE, AT, later), Done)
        assert until(lambda: not lives(second))


@each_shell
def test_a_process_that_got_the_number_of_a_sleeper_is_left_alone(command: tuple[str, ...], bare: Machine) -> None:
    with subprocess.Popen(["sleep", "60"]) as other, opened(command) as session:
        time.sleep(0.05)  # processes of one tick of the clock cannot be told apart, and do not get each other's number
        change = bare.change(600.0)
        assert isinstance(execute(session, change, LINE, AT, HOLDER), Done)
        text = bare.place.read_text()
        sleeper = bare.mark.sleeper
        bare.place.write_text(text.replace(f"sleeper {sleeper} ", f"sleeper {other.pid} "))
        assert isinstance(take_back(session, change, LINE, AT, HOLDER), Done)
        assert other.poll() is None
        other.kill()
        os.kill(sleeper, 9)


@each_shell
def test_without_a_manager_that_answers_the_shell_sleeps_too(
    command: tuple[str, ...], bare: Machine, tmp_path: Path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    program(programs, "systemd-run", "echo 'Failed to connect to bus: No such file or directory' >&2; exit 1")
    program(programs, "systemctl", "exit 1")
    with opened(command, systemd=programs) as session:
        session.execute("PATH=$1:$PATH", (str(programs),))
        assert isinstance(execute(session, bare.change(600.0), LINE, AT, HOLDER), Done)
        assert lives(bare.mark.sleeper)
        assert isinstance(take_back(session, bare.change(600.0), LINE, AT, HOLDER), Done)


@each_shell
def test_a_mark_that_cannot_be_made_changes_nothing_and_leaves_no_sleeper(
    command: tuple[str, ...], bare: Machine
) -> None:
    bare.place.parent.mkdir()
    bare.place.with_name("one.new").mkdir()
    with opened(command) as session:
        failed = execute(session, bare.change(600.0), LINE, AT, HOLDER)
    assert isinstance(failed, Failed)
    assert failed.untouched
    assert until(lambda: not sleepers(bare.place))
    assert bare.knob.read_text() == "60\n"


def sleepers(mark: Path) -> list[str]:
    """The processes that were told of this mark."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = one.read_bytes().decode(errors="replace")
            found += [words] * (str(mark) in words and lives(int(one.parent.name)))
    return found


@each_shell
def test_its_time_is_the_hosts_uptime_and_nothing_else(command: tuple[str, ...], bare: Machine, tmp_path: Path) -> None:
    """A clock that is set, or a `sleep` that ends too early, takes nothing back before its time."""
    program(tmp_path, "sleep", "/bin/sleep 0.1; exit 1")
    program(tmp_path, "date", "echo 2099-01-01")
    with opened(command) as session:
        session.execute("PATH=$1:$PATH", (str(tmp_path),))
        assert isinstance(execute(session, bare.change(2.0), LINE, AT, HOLDER), Done)
        began = bare.mark.since
    assert until(lambda: bare.knob.read_text() == "60\n")
    assert float(Path("/proc/uptime").read_text().split()[0]) - began >= 2.0


ANOTHER = HoldingRun("20261128T220000Z-efgh")


@each_shell
@pytest.mark.parametrize("systemd_runs", [True, False])
def test_a_state_that_is_changed_for_a_while_is_not_changed_again(
    command: tuple[str, ...], systemd_runs: object, bare: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the second would take the value of the first for the old one, and leave it for ever."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program(programs, "systemctl", "exit 0")
    program(programs, "systemd-run", f'printf "%s\\n" "$*" >>{programs}/timers')
    with opened(command, systemd=programs if systemd_runs else Path("/nowhere")) as session:
        session.execute("PATH=$1:$PATH", (str(programs),))
        first = bare.change(600.0)
        assert isinstance(execute(session, first, LINE, AT, HOLDER), Done)
        held = bare.place
        bare.place = held.with_name("two")
        higher = msgspec.structs.replace(
            first,
            args=sysfs.arguments({str(bare.knob): "20"}),
            undo=sysfs.undo({str(bare.knob): "20"}, {str(bare.knob): "10"}),
        )
        failed = execute(session, higher, LINE, AT, ANOTHER)
        assert isinstance(failed, Failed)
        assert failed.untouched
        assert f"web is changed for a while by run {HOLDER.run} (Adjust web): runbook undo {HOLDER.run}" in failed.why
        assert bare.knob.read_text() == "10\n"
        assert not bare.place.exists()
        for free in ({"target": "db"}, {"action": "limit_unit"}):
            other = msgspec.structs.replace(higher, **free)
            assert isinstance(execute(session, other, LINE, AT, ANOTHER), Done), free
            assert isinstance(take_back(session, other, LINE, AT, ANOTHER), Done)
        bare.place = held
        assert isinstance(take_back(session, first, LINE, AT, HOLDER), Done)
        bare.place = held.with_name("two")
        assert isinstance(execute(session, higher, LINE, AT, ANOTHER), Done), "when that is over it may be"
        assert isinstance(take_back(session, higher, LINE, AT, ANOTHER), Done)


@each_shell
def test_a_freeze_has_no_value_to_be_taken_for_the_old_one(command: tuple[str, ...], bare: Machine) -> None:
    with opened(command) as session:
        first = msgspec.structs.replace(bare.change(600.0), action="freeze_unit")
        assert isinstance(execute(session, first, LINE, AT, HOLDER), Done)
        held = bare.place
        bare.place = held.with_name("two")
        assert isinstance(execute(session, first, LINE, AT, ANOTHER), Done)
        assert isinstance(take_back(session, first, LINE, AT, ANOTHER), Done)
        bare.place = held
        take_back(session, first, LINE, AT, HOLDER)
