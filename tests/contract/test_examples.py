"""What README and docs/ show is kept true: sessions are run or say where they come from; commands and files exist."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from glob import has_magic
from pathlib import Path

import click
import pytest
from tests.cli.console import ESCAPES, MAIN, environment
from tests.contract.test_contributing import examples
from tests.examples import DOCS, ROOT, WRITTEN, Block, alike, blocks, blocks_of, pages

from memrunbook.cli.main import group

BLOCKS = list(blocks())
FILES = {"conf", "cron", "fish", "ini", "json", "probe", "python", "sh", "sudoers", "systemd", "yaml", "zsh"}
"""Languages of blocks that are the content of a file."""
PROGRAMS = {
    "apt", "autoload", "case", "cd", "cp", "curl", "echo", "esac", "export", "for", "groupadd", "head", "install", "jq",
    "make", "man", "mkdir", "openssl", "pip", "pipx", "podman", "promtool", "rm", "runbook", "ssh-keygen", "sudo",
    "systemctl", "usermod", "uv", "chgrp",
}  # fmt: skip
"""First words of commands that may be shown without what they print."""
SHELL = re.compile(r"\w+=|\*?[\w\"*]+\) |done|esac|\.venv/bin/|UPDATE_GOLDEN=")
GOES_ON = re.compile(r"(?:\||\\|do|in|&&)$")
WAYS = re.compile(r"run(?:; \S+ = \S+(?:, \S+ = \S+)*)?|as in \S+")
COMMAND = re.compile(r"(?:^|[|;&] ?|sudo |[$#] |\()runbook ((?:[a-z][\w-]*)(?: [^|;&<>`\n]*)?)")
NAMED = re.compile(r"`((?:docs|tests|tools|share|schemas|src|bench|runbooks|packaging|\.ci)/[\w./*<>-]*)`")
SESSIONS = [block for block in BLOCKS if block.session]
RUN = [block for block in SESSIONS if block.mark.startswith("run")]
KEPT = [block for block in SESSIONS if block.mark.startswith("as in ")]
ERASED = re.compile(r"[^\n]*\r\x1b\[K")
"""What stood on a line of the terminal until it was drawn anew."""
SECONDS = 200


def by_name(block: Block) -> str:
    return block.name


def stray(block: Block) -> Iterator[str]:
    """The lines of a block of commands that are none."""
    going_on = False
    for line in block.lines:
        words = line.removeprefix("$ ").removeprefix("# ").split()
        known = going_on or not words or words[0] in PROGRAMS or line.startswith("#") or SHELL.match(line.strip())
        if not known:
            yield line
        going_on = bool(GOES_ON.search(line))


@pytest.mark.parametrize("block", BLOCKS, ids=by_name)
def test_each_block_says_what_it_is(block: Block) -> None:
    """A file by its language or name, commands by their first words; else it is a session, and must say where from."""
    how = "say what it is: tests/examples.py names the ways"
    if block.session:
        assert WAYS.fullmatch(block.mark) or block.transcript, f"{block.name} is neither run nor a transcript; {how}"
    elif block.info is None or block.language == "console":
        assert list(stray(block)) == [], f"{block.name}: neither commands nor a session; {how}"
    else:
        assert block.language in FILES or "title=" in block.info, f"{block.name}: {block.info!r} is no kind; {how}"


@pytest.mark.parametrize("block", [block for block in SESSIONS if block.transcript], ids=by_name)
def test_a_transcript_says_where_it_comes_from(block: Block) -> None:
    """With the day, and with the test, scenario or page that made it, which is there."""
    assert re.search(r"\d{4}-\d{2}-\d{2}", block.transcript), block.name
    named = re.findall(r"`([\w./-]+)`|\]\(([^)#]+)", block.transcript)
    found = [(ROOT / code if code else block.page.parent / link).exists() for code, link in named]
    assert found, block.name
    assert all(found), block.name


@pytest.mark.parametrize("block", KEPT, ids=by_name)
def test_what_a_test_keeps_is_shown_as_it_stands(block: Block) -> None:
    """Line by line in a page that is agreed on; in a test as a whole."""
    path = ROOT / block.mark.removeprefix("as in ")
    kept, shown = path.read_text("utf-8"), tuple(line for line in block.lines if not line.startswith("$ "))
    found = "\n".join(shown) in kept if path.suffix == ".py" else alike(("...", *shown, "..."), kept.splitlines())
    assert found, "\n".join(shown)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of somebody who has no files of their own, where `runbook` is that of this checkout."""
    for name in ("home", "bin", "here"):
        (tmp_path / name).mkdir()
    program = tmp_path / "bin" / "runbook"
    program.write_text(f"#!{sys.executable}\n{MAIN}")
    program.chmod(0o755)
    own = {"HOME": "home", "RUNBOOK_STATE_DIR": "state", "XDG_RUNTIME_DIR": "home", "TESTS_OWN_ETC": "etc"}
    for name, place in own.items():
        monkeypatch.setenv(name, str(tmp_path / place))
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "RUNBOOK_PATH", "RUNBOOK_STORE", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return tmp_path / "here"


def lay_out(block: Block, folder: Path) -> None:
    """Copies what the mark names: `case.txt = tests/hosts/swap-thrash.txt`."""
    _, _, wanted = block.mark.partition("; ")
    for pair in filter(None, wanted.split(", ")):
        name, _, source = pair.partition(" = ")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / name)
        else:
            shutil.copy(ROOT / source, folder / name)


def printed(command: str, folder: Path) -> list[str]:
    """The lines that a command prints at a terminal of 80 columns."""
    line, far = pty.openpty()
    with subprocess.Popen(
        ["sh", "-c", f"stty cols 80 rows 40; {command}"],
        cwd=folder,
        env=environment(TERM="dumb"),
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
    ) as process:
        os.close(far)
        text, deadline = b"", time.monotonic() + SECONDS
        try:
            while select.select([line], [], [], max(0.0, deadline - time.monotonic()))[0]:
                text += os.read(line, 1 << 16)
        except OSError:  # the other end is closed: it has ended
            pass
        finally:
            os.close(line)
            process.kill()
    left = ERASED.sub("", text.decode().replace("\r\n", "\n"))
    return ESCAPES.sub("", left).replace("\r", "").splitlines()


@pytest.mark.slow
@pytest.mark.timeout(5 * SECONDS)
@pytest.mark.parametrize("block", RUN, ids=by_name)
def test_a_session_is_what_is_printed(block: Block, folder: Path) -> None:
    if "ssh_config" in block.mark and shutil.which("ssh") is None:
        pytest.skip("needs OpenSSH's client")
    lay_out(block, folder)
    turns = block.turns()
    assert turns, "a session that is run begins with a prompt"
    for command, shown in turns:
        said = printed(command, folder)
        assert alike(shown, said), f"{block.name}: $ {command} prints\n" + "\n".join(said)


def test_a_session_that_is_not_true_is_found() -> None:
    text = "<!-- example: run -->\n```console\n$ runbook on\nON: … gate, by …\n...\n```\n"
    [block] = blocks_of(DOCS / "x.md", text)
    assert (block.mark, block.session) == ("run", True)
    [(command, shown)] = block.turns()
    assert command == "runbook on"
    assert alike(shown, ["ON: each behind its gate, by whoever", "more"])
    assert not alike(shown, ["ON: nothing"])
    assert not alike(("a",), ["a", "b"])
    [unmarked] = blocks_of(DOCS / "x.md", "```console\n$ runbook on\nON: yes\n```\n")
    with pytest.raises(AssertionError, match="neither run nor a transcript"):
        test_each_block_says_what_it_is(unmarked)
    [told] = blocks_of(DOCS / "x.md", "```text\nyes\n```\n\n*Transcript: somewhere, once.*\n")
    assert (told.session, told.transcript) == (True, "somewhere, once.")
    with pytest.raises(AssertionError):
        test_a_transcript_says_where_it_comes_from(told)
    with pytest.raises(AssertionError, match="neither commands nor a session"):
        test_each_block_says_what_it_is(next(blocks_of(DOCS / "x.md", "See:\n\n    web1  not reached\n")))


def typed(page: Path) -> list[str]:
    """The words behind `runbook` of each command that a page shows, in blocks and in sentences."""
    text = re.sub(r"\\\n\s*", " ", page.read_text("utf-8"))
    spans = re.findall(r"`(runbook [^`\n]+)`", text)
    in_blocks = [] if WRITTEN.match(text) else [line for block in blocks_of(page, text) for line in block.lines]
    found = [one[1] for line in [*spans, *in_blocks] for one in COMMAND.finditer(line.strip())]
    return [one.partition(" #")[0].partition("  ")[0] for one in found]


def wrong(words: list[str]) -> str:
    """What is wrong with the words of a command: an unknown command or option; empty where nothing is."""
    command: click.Command = group
    known = {"-h", "--help", "--version"}
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(click.Context(command), words[0])
        if inner is None:
            return f"there is no command {words[0]}"
        command, words = inner, words[1:]
    known |= {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    options = [word.partition("=")[0] for word in words if re.match(r"--?[A-Za-z]", word)]
    unknown = [word for word in options if word not in known and word[:2] not in known - {"--"}]
    return f"{command.name} has no option {unknown[0]}" if unknown else ""


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_that_a_page_names_is_there(page: Path) -> None:
    found = {}
    for line in typed(page):
        try:
            words = shlex.split(line)
        except ValueError:  # it goes on in the next line
            words = line.split()
        found[line] = wrong(
            [word.strip("[](),.:") if not word.startswith("-") else word.rstrip(",.:)]") for word in words]
        )
    assert {line: why for line, why in found.items() if why} == {}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(NAMED.findall(page.read_text("utf-8")))
    to_be = {*examples(), *(one for one in named if re.search(r"<|NAME|VERSION", one))}
    assert [one for one in sorted(named - to_be) if not there(one)] == []


def there(path: str) -> bool:
    return any(ROOT.glob(path)) if has_magic(path) else (ROOT / path).exists()
