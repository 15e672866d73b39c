"""What doctor says of this control node, of the way to hosts, and of what a login there can and cannot do."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.cli.books import act, book
from tests.cli.conftest import arguments
from tests.cli.console import ROOT, Ran, apart, here
from tests.ssh.servers import Server
from tests.sshd import Sshd, free_port
from tests.sudoers import PASSWORD, USER, SudoHost, with_password

from memrunbook.runtime.secrets_told import told
from memrunbook.state.ledger import LedgerEntry, append
from memrunbook.transports.shared.reach import JUMP_HOST, STAGES


def looked(ran: Ran) -> dict[str, dict[str, Any]]:
    """Everything that was looked at, by its name."""
    said = json.loads(ran.out)
    jsonschema.validate(said, json.loads((ROOT / "schemas" / "doctor.schema.json").read_text()))
    found = [*said["here"], *(one for host in said["hosts"] for one in host["inspections"])]
    assert said["missing"] == sum(one["state"] == "missing" for one in found)
    assert said["well"] is (said["missing"] == 0)
    assert all(one["remedy"] for one in found if one["state"] == "missing"), "each says what to do"
    return {one["name"]: one for one in found}


def doctor(*words: str) -> tuple[Ran, dict[str, dict[str, Any]]]:
    ran = here("doctor", "--json", *words)
    return ran, looked(ran)


def test_a_control_node_that_is_well(state: Path) -> None:
    ran, found = doctor()
    assert ran.code == 0, ran.out
    assert found["state directory"]["state"] == "note"
    assert not state.exists(), "nothing was made"
    page = here("doctor")
    assert page.out.startswith("OK: this control node: nothing is missing\n")
    assert "paramiko" in page.out


@pytest.mark.usefixtures("machine")
def test_a_state_directory_in_use_is_well_and_is_left_as_it_was(tmp_path: Path, state: Path) -> None:
    here("run", book(tmp_path, act("once", "true")), "--host", "local", "--yes")
    before = {path: path.stat().st_mtime_ns for path in state.rglob("*") if "sqlite" not in path.name}
    ran, found = doctor()
    assert ran.code == 0, ran.out
    assert {found[name]["state"] for name in ("state directory", "files", "journals", "clock", "store")} == {"ok"}
    assert {path: path.stat().st_mtime_ns for path in state.rglob("*") if "sqlite" not in path.name} == before
    here("off", "a release")
    ran, found = doctor()
    assert (ran.code, found["store"]["state"], found["store"]["remedy"]) == (0, "note", "runbook on")


def _used(state: Path) -> None:
    state.mkdir(mode=0o700)
    append(
        state, [LedgerEntry("20261122T094107Z-abcd", "run.jsonl", "start", "0" * 64, 0)], "2026-11-22T09:41:07+00:00"
    )
    run = state / "runs" / "20261122T094107Z-abcd"
    run.mkdir(parents=True)
    (run / "run.jsonl").touch()


def _future(state: Path) -> None:
    append(
        state, [LedgerEntry("20261122T094107Z-abcd", "run.jsonl", "start", "0" * 64, 0)], "2099-01-01T00:00:00+00:00"
    )


def _newer(state: Path) -> None:
    with sqlite3.connect(state / "store.sqlite") as store:
        store.execute("CREATE TABLE alembic_version (version_num TEXT)")
        store.execute("INSERT INTO alembic_version VALUES ('9999')")


@pytest.mark.parametrize(
    ("spoil", "name", "said"),
    [
        (lambda state: state.chmod(0o777), "state directory", "everybody may write"),
        (lambda state: state.chmod(0o770), "state directory", "not the group's"),
        (lambda state: state.chmod(0o2770), "state directory", "no sticky bit"),
        (lambda state: (state / "keys" / "ledger.key").chmod(0o644), "keys", "others may read"),
        (lambda state: (state / "keys" / "ledger.key").unlink(), "journals", "ledger.key"),
        (lambda state: (state / "ledger.jsonl").write_bytes(b"x\n"), "journals", "ledger.jsonl"),
        (_future, "clock", "2099-01-01"),
        (_newer, "store", "newer version"),
        (lambda state: (state / "store.sqlite").write_bytes(b"no database, but text" * 99), "store", "cannot be"),
    ],
)
def test_what_is_wrong_with_a_state_directory_is_named(spoil: Any, name: str, said: str, state: Path) -> None:
    _used(state)
    spoil(state)
    ran, found = doctor()
    assert ran.code == 6, ran.out
    assert (found[name]["state"], said in found[name]["said"]) == ("missing", True), found[name]


def test_a_torn_line_is_a_note_and_a_file_is_no_directory(state: Path) -> None:
    _used(state)
    with (state / "ledger.jsonl").open("ab") as file:
        file.write(b'{"run":')
    ran, found = doctor()
    assert (ran.code, found["after a crash"]["state"]) == (0, "note"), ran.out
    shutil.rmtree(state)
    state.touch()
    ran, found = doctor()
    assert (ran.code, found["state directory"]["said"]) == (6, f"{state} is a file")


def test_a_store_that_is_locked_or_does_not_answer_is_named(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _used(state)
    monkeypatch.setenv("RUNBOOK_STORE", f"postgresql://ada:hunter2PW@127.0.0.1:{free_port()}/x")
    ran, found = doctor()
    assert (ran.code, "does not answer" in found["store"]["said"]) == (6, True), ran.out
    assert "hunter2PW" not in ran.said
    monkeypatch.setenv("RUNBOOK_STORE", "mysql://x")
    ran, found = doctor()
    assert "is no store" in found["store"]["said"]


def test_files_that_do_not_say_what_they_must(tmp_path: Path) -> None:
    config = tmp_path / "config"
    (config / "runbooks").mkdir(parents=True)
    (config / "config.yaml").write_text("approvls: []\n")
    (config / "services.yaml").write_text("x: [\n")
    (config / "runbooks" / "bad.yaml").write_text("apiVersion: memrunbook/v1\n")
    ran, found = doctor("--config-dir", str(config))
    assert ran.code == 2, ran.out
    assert {found[name]["state"] for name in ("config.yaml", "services.yaml", "runbooks")} == {"missing"}
    assert "config.yaml:1" in found["config.yaml"]["said"]
    (config / "config.yaml").write_text("allowed_signers: signers\napprovals: [{risk: medium, people: 1}]\n")
    (config / "signers").write_text("ada no-key\n")
    ran, found = doctor("--config-dir", str(config))
    assert (ran.code, found["allowed_signers"]["state"]) == (2, "missing"), ran.out


@pytest.fixture
def silent_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from memrunbook.transports.shared import checkup

    monkeypatch.setattr(checkup, "ANSWER", 0.5)
    with socket.socket(socket.AF_UNIX) as door:
        place = tmp_path / "agent"
        door.bind(str(place))
        door.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        held: list[socket.socket] = []
        thread = threading.Thread(target=lambda: held.append(door.accept()[0]), daemon=True)
        thread.start()
        yield
        for one in held:
            one.close()


def test_an_agent_that_accepts_and_never_answers_is_said(silent_agent: None) -> None:
    ran, found = doctor()
    assert (ran.code, found["ssh agent"]["state"]) == (8, "missing"), ran.out
    assert "accepts, and did not answer" in found["ssh agent"]["said"]


def test_an_agent_that_has_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    ran, found = doctor()
    assert (ran.code, found["ssh agent"]["state"]) == (8, "missing")


BEFORE = {"configuration": "ok", "transport": "ok"}


def stages(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: one["state"] for name, one in found.items() if one["area"] == "way"}


def test_each_stage_of_reaching_a_host_is_named(sshd: Sshd, tmp_path: Path) -> None:
    ran, found = doctor(*sshd.arguments)
    assert stages(found) == dict.fromkeys((stage for stage in STAGES if stage != JUMP_HOST), "ok"), ran.out
    assert sshd.fingerprint() in found["host key"]["said"]
    (tmp_path / "none").touch()
    unknown = [*sshd.arguments[:2], f"--known-hosts={tmp_path / 'none'}", sshd.arguments[3]]
    ran, found = doctor(*unknown)
    assert (ran.code, list(stages(found).items())[-1]) == (4, ("host key", "missing")), ran.out
    (tmp_path / "other").write_text("no key")
    ran, found = doctor(sshd.arguments[0], f"--identity={tmp_path / 'other'}", *sshd.arguments[2:])
    assert (ran.code, list(stages(found).items())[-1]) == (4, ("login", "missing")), ran.out
    ran, found = doctor(f"--host=127.0.0.1:{free_port()}")
    assert (ran.code, stages(found)) == (4, {**BEFORE, "name": "ok", "TCP": "missing"}), ran.out
    ran, found = doctor("--host=no-such-host.invalid")
    assert (ran.code, stages(found)) == (4, {**BEFORE, "name": "missing"}), ran.out


def test_what_fails_at_a_jump_host_stands_at_its_stage(sshd: Sshd, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    lines = "Host web\n HostName no-such-host.invalid\n ProxyJump gate\nHost gate\n HostName 127.0.0.1\n Port {}\n"
    config.write_text(lines.format(port := free_port()))
    reach = ["--host=web", *sshd.arguments[1:3], f"--ssh-config={config}"]
    for transport in ("ssh", "openssh"):
        config.write_text(lines.format(port))
        ran, found = doctor(*reach, f"--transport={transport}")
        assert (ran.code, stages(found)) == (4, {**BEFORE, "jump host": "missing"}), ran.out
        assert f"the jump host gate (127.0.0.1:{port}): the connection was refused" in found["jump host"]["said"]
        config.write_text(lines.format(sshd.port))
        ran, found = doctor(*reach, f"--transport={transport}")
        assert (ran.code, stages(found)) == (4, {**BEFORE, "jump host": "ok", "TCP": "missing"}), ran.out
        assert found["jump host"]["said"] == f"gate (127.0.0.1:{sshd.port})"
        assert "could not connect to no-such-host.invalid port 22: " in found["TCP"]["said"]
        assert "Connect failed" not in found["TCP"]["said"]


def test_a_login_without_a_shell_and_one_that_prints_a_banner(server: Server) -> None:
    server.answer = b"This account is currently not available.\n"
    ran, found = doctor(*arguments(server))
    assert (ran.code, found["shell"]["state"]) == (4, "missing"), ran.out
    assert "not available" in found["shell"]["said"]
    assert stages(found)["login"] == "ok"
    server.answer = None
    server.sudo = "Welcome to the machine!\nsudo: a password is required\n"
    ran, found = doctor(*arguments(server))
    assert found["shell"]["state"] == "ok"
    assert found["sudo"]["state"] == ("ok" if os.geteuid() == 0 else "missing"), (
        "the server's shell is the test's user's"
    )
    ran, found = doctor(*arguments(server), "--sudo=always")
    assert (ran.code, found["sudo"]["state"]) == (4, "missing"), ran.out
    assert "Welcome" in found["sudo"]["said"]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[SudoHost]:
    with with_password(monkeypatch) as made:
        yield made
    told.forget()


def test_what_a_plain_login_cannot_do_and_a_password_gives(host: SudoHost) -> None:
    ran, found = doctor(*host.arguments)
    assert ran.code == 8, ran.out
    for name in ("root", "sysctls", "drop-caches", "compact-memory", "signals"):
        assert (found[name]["state"], bool(found[name]["remedy"])) == ("missing", True), found[name]
    assert (
        found["drop-caches"]["wanted_by"] == ["drop_caches (memory-fragmentation)"] or found["drop-caches"]["wanted_by"]
    )
    page = here("doctor", *host.arguments).out
    assert f"allow {USER} `sudo -n sh -s`" in page
    assert max(map(len, page.splitlines())) < 1000
    reader, writer = os.pipe()
    os.write(writer, PASSWORD.encode() + b"\n")
    os.close(writer)
    ran, found = doctor(*host.arguments, "--sudo-password-fd", str(reader))
    assert (found["sudo"]["state"], found["root"]["state"], found["drop-caches"]["state"]) == ("ok", "ok", "ok"), (
        ran.out
    )
    assert PASSWORD not in ran.said


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root: mounts in its own namespace")
def test_a_state_directory_on_a_read_only_or_full_mount(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for options, said in (("ro", "read-only"), ("size=8k", "free")):
        before = [
            "unshare",
            "-m",
            "sh",
            "-c",
            f'mount -t tmpfs -o {options} none "$1" && shift && exec "$@"',
            "sh",
            str(place),
        ]
        ran = apart("doctor", "--json", "--state-dir", str(place), before=before)
        assert ran.code == 6, ran.said
        assert any(said in one["said"] for one in looked(ran).values() if one["state"] == "missing"), ran.out
