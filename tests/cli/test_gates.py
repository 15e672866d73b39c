"""The gates, driven through a terminal as a person does; and Ctrl-C at them and in the middle of a command."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.console import Terminal, here, terminal, wait_for
from tests.ssh.servers import listening

pytestmark = pytest.mark.usefixtures("machine")
HARM = re.compile(r"it did harm: (refaults per second|full memory pressure)")


def _steps(state: Path) -> dict[str, str]:
    """How each step of the newest run ended, as the journal tells it."""
    run = max((state / "runs").iterdir())
    records = [json.loads(line) for line in (run / "local.jsonl").read_text().splitlines()]
    told = [record["record"] for record in records if record.get("event") == "recorded"]
    steps = {one["id"]: one for one in told if one["type"] == "step-finished"}
    # Others work on this machine too: what they do to it may be blamed on the step.
    return {name: "done" if HARM.match(one["why"]) else one["state"] for name, one in steps.items()}


def _touched(folder: Path, *names: str) -> list[bool]:
    return [(folder / name).exists() for name in names]


def _book(folder: Path, **risks: str) -> str:
    steps = [
        act(name, "touch", str(folder / name), risk=risk) if risk != "none" else look(name, "touch", str(folder / name))
        for name, risk in risks.items()
    ]
    return book(folder, *steps, resolved="memory.available_percent > 100.0")


QUESTION = "y/N"


@pytest.mark.parametrize(
    ("key", "ended"), [("y", "done"), ("n", "refused"), ("", "refused"), ("Q", "refused"), ("s", "skipped")]
)
def test_what_a_key_does(tmp_path: Path, state: Path, key: str, ended: str) -> None:
    with terminal("run", _book(tmp_path, one="none"), "--host", "local") as screen:
        screen.expect(QUESTION)
        screen.type(f"{key}\n")
        code = screen.wait()
    assert _steps(state) == {"one": ended}
    assert _touched(tmp_path, "one") == [ended == "done"]
    assert code == {"done": 3, "refused": 5, "skipped": 3}[ended], screen.drawn
    assert here("audit", "verify").code == 0


def test_a_gate_says_what_where_why_at_which_cost_and_how_it_is_proven(tmp_path: Path) -> None:
    with terminal("run", _book(tmp_path, one="medium"), "--host", "local", columns=80) as screen:
        screen.expect(QUESTION)
        screen.type("d\n")
        screen.expect("digest")
        screen.expect(QUESTION)
        screen.type("n\n")
        assert screen.wait() == 5
    for word in (
        "Host",
        "local",
        "Because",
        "The host has memory",
        "Command",
        "touch",
        "Costs",
        "Proven by",
        "Undo",
        "users may notice",
    ):
        assert word in screen.drawn, word
    page = screen.drawn.partition("waiting for an answer")[2]  # before it lines are drawn over each other
    lines = [line for line in page.splitlines() if not line.lstrip().startswith("runbook ")]
    assert all(len(line) <= 80 for line in lines), screen.drawn
    assert _touched(tmp_path, "one") == [False]


def _command(folder: Path, name: str) -> str:
    return f"touch {folder / name}"


def test_high_risk_wants_the_name_of_its_target_and_yes_is_no_answer(tmp_path: Path, state: Path) -> None:
    with terminal("run", _book(tmp_path, one="high"), "--host", "local", columns=250) as screen:
        screen.expect(f"Type {_command(tmp_path, 'one')} to go on")
        for yes in ("y\n", "yes\n"):
            screen.type(yes)
            screen.expect("A y is not enough: data or a service may be lost.")
        screen.type(f"{_command(tmp_path, 'one')}\n")
        screen.wait()
    assert _steps(state) == {"one": "done"}
    with terminal("run", _book(tmp_path, two="high"), "--host", "local", columns=250) as screen:
        for _ in range(3):
            screen.expect(f"Type {_command(tmp_path, 'two')} to go on")
            screen.type("touch\n")
        assert screen.wait() == 5
    assert _touched(tmp_path, "one", "two") == [True, False]


def test_each_step_has_a_gate_of_its_own_and_a_skipped_one_does_not_stop_the_rest(tmp_path: Path, state: Path) -> None:
    with terminal("run", _book(tmp_path, one="none", two="none", three="none"), "--host", "local") as screen:
        for key in ("s", "y", "q"):
            screen.expect(QUESTION)
            screen.type(f"{key}\n")
        assert screen.wait() == 5
    assert _steps(state) == {"one": "skipped", "two": "done", "three": "refused"}
    assert _touched(tmp_path, "one", "two", "three") == [False, True, False]


def test_what_was_typed_before_the_question_is_no_answer(tmp_path: Path, state: Path) -> None:
    path = book(
        tmp_path, look("slow", "sh", "-c", "sleep 1"), look("one", "touch", str(tmp_path / "one")), resolved="false"
    )
    with terminal("run", path, "--host", "local", "--allow", "run_check_command:sh -c 'sleep 1'") as screen:
        screen.expect("slow: Look", seconds=30)
        screen.type("y\ny\n")
        screen.expect(QUESTION)
        with pytest.raises(AssertionError):
            screen.expect("done  one", seconds=1)
        screen.type("\n")
        assert screen.wait() == 5
    assert _steps(state)["one"] == "refused"


def test_the_end_of_the_input_is_no(tmp_path: Path, state: Path) -> None:
    with terminal("run", _book(tmp_path, one="none"), "--host", "local") as screen:
        screen.expect(QUESTION)
        screen.type("\x04")
        assert screen.wait() == 5
    assert _steps(state) == {"one": "refused"}


def _interrupt(screen: Terminal) -> None:
    screen.type("\x03")


def test_ctrl_c_at_the_gate_ends_the_run_at_once(tmp_path: Path, state: Path) -> None:
    with terminal("run", _book(tmp_path, one="none", two="none"), "--host", "local") as screen:
        screen.expect(QUESTION)
        _interrupt(screen)
        assert screen.wait(10) == 130, screen.drawn
    assert "Traceback" not in screen.drawn
    assert _steps(state) == {"one": "interrupted", "two": "skipped"}
    assert _touched(tmp_path, "one", "two") == [False, False]
    assert here("audit", "verify").code == 0
    assert not _lock_left()


def test_ctrl_c_in_a_command_waits_for_its_end_and_begins_nothing_new(tmp_path: Path, state: Path) -> None:
    done = tmp_path / "done"
    path = book(
        tmp_path, act("slow", "sh", "-c", f"echo >{tmp_path / 'begun'}; sleep 2; echo >{done}"), look("next", "uptime")
    )
    with terminal("run", path, "--host", "local", "--yes") as screen:
        wait_for(tmp_path / "begun")
        _interrupt(screen)
        screen.expect("Stopping after this command (slow on local). Ctrl-C again leaves at once.")
        assert screen.wait(20) == 130, screen.drawn
    assert done.exists()
    assert _steps(state) == {"slow": "interrupted", "next": "skipped"}
    assert "carried out, but not proven" in screen.drawn
    assert here("audit", "verify").code == 0


def test_ctrl_c_twice_leaves_now_and_says_what_may_be_unfinished(tmp_path: Path, state: Path) -> None:
    done = tmp_path / "done"
    path = book(tmp_path, act("slow", "sh", "-c", f"echo >{tmp_path / 'begun'}; sleep 60; echo >{done}"))
    with terminal("run", path, "--host", "local", "--yes") as screen:
        wait_for(tmp_path / "begun")
        _interrupt(screen)
        screen.expect("Ctrl-C again")
        _interrupt(screen)
        assert screen.wait(8) == 130, screen.drawn
    assert "may be unfinished" in screen.drawn
    assert "Traceback" not in screen.drawn
    assert not done.exists()  # the command was killed with its process group
    listed = here("runs")
    assert "interrupted" in listed.out
    assert "slow: Run sh -c" in screen.drawn
    assert "outcome unknown" in screen.drawn
    assert here("report", "last").code == 7
    assert here("audit", "verify").code == 0
    assert listed.code == 7
    begun = (tmp_path / "begun").stat().st_mtime_ns
    resumed = here("resume", "last", "--yes", "--allow", "run_command")
    assert resumed.code == 7, resumed.said
    assert "how it ended is not on the host" in resumed.out
    assert (tmp_path / "begun").stat().st_mtime_ns == begun, "it is not begun again"


def test_a_wide_and_a_narrow_terminal_and_one_without_cursor_say_the_same(tmp_path: Path) -> None:
    path = _book(tmp_path, one="medium")
    for options in ({"columns": 80}, {"columns": 200}, {"term": "dumb"}):
        with terminal("run", path, "--host", "local", **options) as screen:
            screen.expect(QUESTION)
            screen.type("n\n")
            assert screen.wait() == 5
        assert "REFUSED" in screen.drawn
        assert "run_command:touch" in screen.drawn.replace("\n", " ")
        if options.get("term"):
            assert "\x1b" not in screen.raw


def _lock_left() -> bool:
    return Path("/run/memrunbook.lock").exists()


def test_a_long_read_says_that_it_goes_on_and_ctrl_c_ends_it_at_once() -> None:
    with terminal("facts", "memory", "--host", "local", "--every", "30") as screen:
        screen.expect("reading local, 2 samples, about 30 s; Ctrl-C to give up")
        _interrupt(screen)
        assert screen.wait(10) == 130
    assert "Interrupted" in screen.drawn
    assert "Traceback" not in screen.drawn


def _silent(connection: socket.socket) -> None:
    connection.recv(1000)


def test_ctrl_c_gives_up_a_host_that_stays_silent(tmp_path: Path) -> None:
    with listening(_silent) as port:  # noqa: SIM117 - the port is needed first
        with terminal("run", _book(tmp_path, one="none"), "--host", f"127.0.0.1:{port}") as screen:
            screen.expect("no SSH banner")
            screen.expect("Ctrl-C to give up")
            _interrupt(screen)
            assert screen.wait(10) == 130
    assert "INTERRUPTED" in screen.drawn
    assert here("audit", "verify").code == 0
