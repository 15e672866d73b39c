"""Streams that are closed, full or gone; and what is loaded to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.console import WORDS, apart, environment, here, terminal, wait_for

HEAVY = ("paramiko", "cel_expr_python", "jsonschema", "rich", "asyncio", "yaml", "cryptography", "subprocess")


def _shell(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script, "sh", *WORDS, *words],
        check=False, capture_output=True, text=True, timeout=60, env=environment(),
    )  # fmt: skip


@pytest.mark.parametrize(
    "words", [["list"], ["facts", "--host", "local"], ["facts", "--host", "local", "--json"], ["--help"]]
)
def test_a_reader_that_goes_away_is_no_error(words: list[str]) -> None:
    done = _shell('{ "$@"; echo "code $?" >&2; } | head -c 1 >/dev/null', *words)
    assert done.stderr == "code 0\n"


@pytest.mark.parametrize(
    "words", [["list"], ["facts", "memory", "--host", "local", "--samples", "1"], ["plan", "oom-event"]]
)
def test_closed_streams_are_survived(words: list[str]) -> None:
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        done = _shell(f'"$@" {closed}', *words)
        assert "Traceback" not in done.stdout + done.stderr, closed
        assert "defect" not in done.stdout + done.stderr, closed
        assert done.returncode == (2 if words[0] == "plan" else 0), closed


def test_a_full_disk_under_stdout_is_told() -> None:
    done = _shell('"$@" >/dev/full', "list")
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr
    assert done.returncode not in (0, 1)


@pytest.mark.usefixtures("machine")
def test_closed_stdin_refuses_at_the_gate_and_says_how_to_allow_it(tmp_path: Path) -> None:
    path = book(tmp_path, look("one", "touch", str(tmp_path / "one")), resolved="false")
    done = _shell('"$@" <&-', "run", path, "--host", "local")
    assert done.returncode == 5
    assert f"runbook run {path} --host local --allow 'run_check_command:touch {tmp_path / 'one'}'" in done.stdout
    assert "nobody can be asked here" in done.stdout
    assert not (tmp_path / "one").exists()


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("pipe", "more"), [("2>&1 | head -c 1", []), ("| head -c 1", ["--json"])])
def test_a_run_whose_reader_goes_away_is_carried_out_to_its_end(
    tmp_path: Path, state: Path, pipe: str, more: list[str]
) -> None:
    path = book(
        tmp_path,
        act("one", "touch", str(tmp_path / "one")),
        look("two", "touch", str(tmp_path / "two")),
        resolved="false",
    )
    _shell(f'{{ "$@"; echo "$?" >{tmp_path / "code"}; }} {pipe}', "run", path, "--host", "local", "--yes", *more)
    assert (tmp_path / "code").read_text() == "3\n"  # the incident of this runbook is never over
    assert (tmp_path / "one").exists()
    assert here("audit", "verify").code == 0
    assert "interrupted" not in here("runs").out


@pytest.mark.usefixtures("machine")
def test_a_login_that_is_lost_ends_the_run_in_order(tmp_path: Path) -> None:
    done = tmp_path / "done"
    path = book(
        tmp_path, act("slow", "sh", "-c", f"echo >{tmp_path / 'begun'}; sleep 2; echo >{done}"), look("next", "uptime")
    )
    with terminal("run", path, "--host", "local", "--yes") as screen:
        wait_for(tmp_path / "begun")
        os.close(screen.line)  # the terminal goes away: SIGHUP
        assert screen.process.wait(30) == 130
        screen.line = os.open(os.devnull, os.O_RDWR)
    assert done.exists()
    assert here("report", "last").out.startswith("INTERRUPTED")
    assert here("audit", "verify").code == 0


@pytest.mark.parametrize("words", [["--help"], ["list"], ["run", "--help"], ["--version"]])
def test_starting_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom memrunbook.cli.main import main\n"
        f"try: main({words!r})\nexcept SystemExit as e: assert not e.code, e.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment())
    assert done.stderr.strip() == "[]"


def test_no_color_and_pipes_have_no_escapes() -> None:
    for words in (["list"], ["facts", "memory", "--host", "local"], ["--help"]):
        apart(*words).plain()
    colored = apart("list", "--color", "always")
    assert colored.code == 0
    assert os.environ.get("NO_COLOR") is None
