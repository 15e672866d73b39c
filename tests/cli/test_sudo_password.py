"""Root by a real sudo that wants a password: asked once, told apart from the script, planted nowhere."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.books import act, book, look
from tests.cli.console import Ran, apart, environment, here, terminal
from tests.sudoers import PASSWORD, USER, SudoHost, with_password

from memrunbook.runtime.secrets_told import told

pytestmark = pytest.mark.usefixtures("machine")


@pytest.fixture(params=["ssh", "openssh"])
def host(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[SudoHost]:
    with with_password(monkeypatch) as made:
        yield replace(made, transport=str(request.param))
    told.forget()


def by_pipe(host: SudoHost, *words: str, password: str = PASSWORD) -> Ran:
    """The command in this process, with the password in a pipe."""
    reader, writer = os.pipe()
    os.write(writer, password.encode() + b"\n")
    os.close(writer)
    return here(*words, *host.arguments, "--sudo-password-fd", str(reader))


def who(ran: Ran) -> str:
    records = [json.loads(line).get("record", {}) for line in ran.out.splitlines()]
    [evidence] = [record["evidence"] for record in records if record.get("evidence")]
    return Path(evidence).read_text()


def test_the_password_makes_root_and_is_never_taken_for_a_script(host: SudoHost, tmp_path: Path) -> None:
    path = book(tmp_path, look("who", "id", "-u"))
    here("run", path, *host.arguments, "--sudo=always", "--yes").refused(4, "sudo refused for", hint="add -K")
    assert who(by_pipe(host, "run", path, "--yes", "--json")).startswith("0\n")
    host.allow(f"{USER} ALL=(root) NOPASSWD: ALL")
    assert who(by_pipe(host, "run", path, "--yes", "--json")).startswith("0\n"), "a sudo that does not ask gets none"
    assert "incorrect" not in host.log


def test_a_wrong_password_is_tried_once_and_said_once(host: SudoHost, tmp_path: Path) -> None:
    path = book(tmp_path, look("who", "id", "-u"))
    ran = by_pipe(host, "run", path, "--yes", password="not-the-password")
    ran.refused(4, "sudo refused the password", hint="tried once")
    assert ran.said.count("sudo refused the password") == 1
    assert host.log.count("incorrect password attempt") == 1
    assert "1 incorrect password attempt" in host.log


def test_a_user_that_sudoers_does_not_know_is_told_what_sudo_said(host: SudoHost, tmp_path: Path) -> None:
    host.allow()
    ran = by_pipe(host, "run", book(tmp_path, look("who", "id", "-u")), "--yes")
    ran.refused(4, f"sudo refused for {USER}: {USER} is not in the sudoers file", hint="log in as root")


def test_a_script_that_hangs_is_killed_though_sudo_keeps_no_timestamp(host: SudoHost, tmp_path: Path) -> None:
    path = book(tmp_path, act("hang", "sleep", "317", timeout="2s"), resolved="memory.available_percent > 100.0")
    ran = by_pipe(host, "run", path, "--yes", "--json")
    assert ran.code == 7, ran.said
    left = subprocess.run(["pgrep", "-f", "^sleep 317$"], check=False, capture_output=True, text=True).stdout
    assert not left, "the process group of a root shell was ended by a second sudo"


def test_it_is_asked_at_the_terminal_without_echo(host: SudoHost) -> None:
    with terminal("facts", "host", *host.arguments, "-K") as person:
        person.expect("sudo password on the hosts")
        person.type(f"{PASSWORD}\n")
        assert person.wait() == 0, person.drawn
    assert PASSWORD not in person.drawn


def test_the_password_is_planted_nowhere(host: SudoHost, tmp_path: Path, state: Path) -> None:
    saying = f'cat /proc/self/environ /proc/[0-9]*/cmdline; echo "{PASSWORD}"; echo "$1"'
    script = tmp_path / "saying"
    script.write_text(saying)
    steps = act("say", "sh", str(script), PASSWORD), look("look", "sh", str(script), PASSWORD)
    path = book(tmp_path, *steps, resolved="memory.available_percent > 100.0")
    said = [by_pipe(host, "run", path, "--yes", *more).said for more in ([], ["--json"], ["-v"])]
    said += [here(*words).said for words in (["report", "last"], ["audit", "show"], ["audit", "export"], ["runs"])]
    said.append(by_pipe(host, "plan", path, "--out", str(tmp_path / "plan.json")).said)
    kept = "".join(file.read_text("utf-8", "replace") for file in state.rglob("*") if file.is_file())
    kept += (tmp_path / "plan.json").read_text() + host.log + (host.folder / "sshd.log").read_text()
    assert "[redacted]" in kept
    assert PASSWORD not in kept.replace(str(path), "")
    assert not [text for text in said if PASSWORD in text]


@pytest.mark.parametrize(
    ("more", "said", "hint"),
    [
        (["--sudo-password-fd", "77"], "it cannot be read: bad file descriptor", "3</run/secret"),
        (["-K"], "there is none", "--sudo-password-fd"),
        (["-K", "--json"], "forbids it", "--sudo-password-fd"),
        (["-K", "--sudo=never"], "--sudo never", "leave one of them out"),
        (["-K", "--sudo-password-fd", "0"], "-K asks for the password that", "leave one of them out"),
    ],
)
def test_a_password_that_cannot_be_had_is_told_before_any_host_is_asked(more: list[str], said: str, hint: str) -> None:
    words = ["facts", "host", "--host=127.0.0.9:1", *more]
    apart(*words, before=["setsid"]).refused(2, said, hint=hint)


def test_an_empty_line_a_short_word_and_no_text_are_no_passwords() -> None:
    for content, said in ((b"\n", "no password was given"), (b"abc\n", "cannot be hidden"), (b"\xff\xfeabc\n", "UTF-8"),
                          (b"x" * 2000, "more than 1024 bytes")):  # fmt: skip
        reader, writer = os.pipe()
        os.write(writer, content)
        os.close(writer)
        here("facts", "host", "--host=127.0.0.9:1", "--sudo-password-fd", str(reader)).refused(2, said)


def test_the_environment_and_the_words_of_our_processes_never_hold_it(host: SudoHost, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    script = tmp_path / "script"
    script.write_text(f"cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ >{seen} 2>/dev/null; true")
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    path = book(tmp_path, look("look", "sh", str(script)))
    command = ["sh", "-c", f'exec "$@" 3<{secret}', "sh"]
    ran = apart("run", path, *host.arguments, "--yes", "--sudo-password-fd", "3", before=command, env=environment())
    assert ran.code in (0, 3), ran.said
    assert seen.stat().st_size > 0
    assert PASSWORD.encode() not in seen.read_bytes()
