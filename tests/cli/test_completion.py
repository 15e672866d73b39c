"""Real shells complete the command at a terminal: what is typed, Tab, and what stands on the line then."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import takewhile
from pathlib import Path

import pytest
from tests.cli.console import Terminal, environment, here
from tests.unit.documents.inventory.folder import write

HOSTS = "[web]\nweb01\nweb02\n[win]\nw1\n"
SCHEDULES = """\
schedules:
  - {name: nightly, runbook: memory-leak, at: "03:00", hosts: [web01], mode: plan}
  - {name: broken, runbook: memory-leak, at: never, hosts: [web01]}
"""
CONFIG = "notify: [{name: pager, type: command, command: [/bin/true]}]\n"
Shell = Callable[[Path], AbstractContextManager[Callable[[str], str]]]
WAITING = "{here}/state/waiting/nightly@web01.json"
SAYS = "runbook() { printf ' <%s%s>>\\n' '<' \"$*\"; }; "
"""The command's words are shown, and nothing is run: completion asks the program, this is a function."""
CASES = [
    ("oom-l", "oom-log "),
    ("schedule prev", "schedule preview "),
    ("show swap-thr", "show swap-thrashing "),
    ("facts -i hosts --host web01,wi", "facts -i hosts --host web01,win "),
    ("facts -i hosts --host=wi", "facts -i hosts --host=win "),
    ("report --state-dir state 2026", "report --state-dir state 20261129T121108Z-zdhm "),
    ("schedule preview --config-dir etc nigh", "schedule preview --config-dir etc nightly "),
    ("schedule firings --config-dir etc brok", "schedule firings --config-dir etc broken "),
    ("apply plans/o", "apply plans/one.json "),
    ("apply pla", "apply plans/"),
    (
        "apply --state-dir state {here}/state/waiting/n",
        "apply --state-dir state {here}/state/waiting/nightly@web01.json ",
    ),
    ("validate me", "validate memory-"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with hosts, a run, schedules, and plans beside a file that is none; `runbook` is found by its name."""
    plan = '{"format": "memrunbook.saved-plan/1"}'
    folder = tmp_path.resolve()
    write(folder, {"hosts": HOSTS, "etc/schedules.yaml": SCHEDULES, "etc/config.yaml": CONFIG})
    write(folder, {"plans/one.json": plan, "plans/other.json": "{}", "state/waiting/nightly@web01.json": plan})
    (folder / "state" / "runs" / "20261129T121108Z-zdhm").mkdir(parents=True)
    for shell in ("bash", "zsh", "fish"):
        (folder / f"_{shell}").write_text(here("completion", shell).out, encoding="utf-8")
    return folder


def around(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return environment(PATH=path, HOME=str(folder), ZDOTDIR=str(folder), TERM="dumb", PS1="$ ", COLUMNS="200")


def needed(shell: str) -> str:
    """The shell's path; a test of a shell that is not here is skipped, and says so."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed: apt-get install {shell}")
    return found


@contextmanager
def interactive(words: list[str], folder: Path) -> Iterator[Terminal]:
    """A shell at a terminal of its own, in this folder."""
    line, far = pty.openpty()
    process = subprocess.Popen(
        words, stdin=far, stdout=far, stderr=far, cwd=folder, env=around(folder), start_new_session=True
    )
    os.close(far)
    try:
        yield Terminal(process, line)
    finally:
        process.kill()
        process.wait(10)
        os.close(line)


@contextmanager
def bash(folder: Path) -> Iterator[Callable[[str], str]]:
    words = [needed("bash"), "--norc", "--noprofile", "-i"]
    with interactive(words, folder) as screen:
        screen.type(
            f"bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; . {folder}/_bash; {SAYS}echo rea''dy\n"
        )
        screen.expect("ready")
        screen.expect("$ ")
        yield lambda words: line_after_tab(screen, words)


@contextmanager
def zsh(folder: Path) -> Iterator[Callable[[str], str]]:
    with interactive([needed("zsh"), "-f", "-i"], folder) as screen:
        screen.type(f"fpath=({folder}/site $fpath); autoload -Uz compinit; compinit -u -D; unsetopt prompt_sp; ")
        screen.type(f"zle_highlight=(none); unset zle_bracketed_paste; LISTMAX=0; {SAYS}echo rea''dy\n")
        screen.expect("ready")
        screen.expect("$ ")
        yield lambda words: line_after_tab(screen, words)


def line_after_tab(screen: Terminal, words: str) -> str:
    """What stands on the line behind `runbook ` when Tab was pressed: a mark is typed there, and the line is run."""
    screen.type(f"runbook {words}\t%\n")
    screen.expect(" <<")
    screen.expect("%>>")
    screen.expect("$ ")
    return screen.drawn.rpartition(" <<")[2].rpartition("%>>")[0]


@contextmanager
def fish(folder: Path) -> Iterator[Callable[[str], str]]:
    """fish says itself what it would offer; with one offer that is what stands on the line."""
    shell = needed("fish")

    def offered(words: str) -> str:
        script = f"source {folder}/_fish; complete -C 'runbook {words}'"
        ran = subprocess.run([shell, "-c", script], cwd=folder, env=around(folder), capture_output=True, check=False)
        offers = [line.partition("\t")[0] for line in ran.stdout.decode().splitlines()]
        kept = words[: len(words) - len(words.rpartition(" ")[2])]
        common = "".join(
            signs[0] for signs in takewhile(lambda signs: len(set(signs)) == 1, zip(*offers, strict=False))
        )
        return kept + common + (" " if len(offers) == 1 and not common.endswith("/") else "")

    yield offered


@pytest.mark.slow
@pytest.mark.parametrize("shell", [bash, zsh, fish])
def test_a_real_shell_completes(house: Path, shell: Shell) -> None:
    (house / "site").mkdir()
    (house / "site" / "_runbook").write_text((house / "_zsh").read_text(encoding="utf-8"), encoding="utf-8")
    with shell(house) as press:
        got = {words: press(words.format(here=house)) for words, _ in CASES}
    assert got == {words: line.format(here=house) for words, line in CASES}
