"""The acceptance list, against OpenSSH's own server: from the diagnosis to the proof that the journal is intact."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tests.sshd
from tests.cli.books import act, book, look
from tests.cli.conftest import needs_login
from tests.cli.console import ROOT, Ran, apart, here, terminal
from tests.sshd import MISSING, Sshd, can_run, running

ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: this changes another process's oom_score_adj")
HELD = "held = bytearray({size}); held[::4096] = b'x' * len(held[::4096]); print('ready', flush=True); input()"
SUDO_USER = "helper"
# A user and a sudoers file that exist for this server alone: in a mount namespace of its own, gone when it ends.
NAMESPACE = """\
#!/bin/sh
exec unshare -m sh -c '
for file in passwd shadow group sudoers; do mount --bind "$0/$file" "/etc/$file" || exit 1; done
exec {sshd} "$@"' {folder} "$@"
"""


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One server at three addresses: three hosts for the command line."""
    needs_login()
    with running(tmp_path_factory.mktemp("three"), *(f"ListenAddress {one}" for one in ADDRESSES[1:])) as server:
        known = server.folder / "known_hosts"
        line = known.read_text(encoding="ascii")
        known.write_text("".join(line.replace(ADDRESSES[0], one) for one in ADDRESSES), encoding="ascii")
        yield server


def _hosts(server: Sshd, *addresses: str) -> list[str]:
    named = ",".join(f"{server.user}@{one}:{server.port}" for one in addresses)
    return [f"--host={named}", *server.arguments[1:]]


@pytest.fixture(scope="module")
def answers(three: Sshd) -> dict[str, Ran]:
    """The slow ones (they sample for 10 s), all at once."""
    words = {
        "diagnose": ["diagnose", *_hosts(three, ADDRESSES[0])],
        "diagnose --json": ["diagnose", "--json", *_hosts(three, *ADDRESSES)],
        "plan": ["plan", "memory-fragmentation", *_hosts(three, ADDRESSES[0])],
        "plan --json": ["plan", "swap-thrashing", "--json", *_hosts(three, *ADDRESSES)],
    }
    with ThreadPoolExecutor(len(words)) as pool:
        ran = {name: pool.submit(apart, *command) for name, command in words.items()}
    return {name: one.result() for name, one in ran.items()}


def _parts(words: list[str]) -> set[str]:
    return {part for word in words for part in word.split("=", 1)}


def _valid(document: Any, schema: str) -> None:
    rules = json.loads((ROOT / "schemas" / f"{schema}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(rules).validate(document)


def test_diagnose_begins_with_the_verdict_and_says_that_nothing_was_changed(answers: dict[str, Ran]) -> None:
    ran = answers["diagnose"]
    assert ran.code in (0, 8, 9), ran.said  # 9: of this machine not all can be judged, as where its log has wrapped
    assert ran.out.splitlines()[0].split(":")[0] in ("OK", "UNKNOWN", "CRITICAL", "WARNING", "INFO")
    assert ADDRESSES[0] in ran.out.splitlines()[0]
    assert "Nothing was changed." in ran.out
    ran.plain()


def test_diagnose_of_three_hosts_as_json_keeps_to_its_schema(answers: dict[str, Ran]) -> None:
    ran = answers["diagnose --json"]
    document = json.loads(ran.out)
    _valid(document, "diagnose")
    assert [host["host"] for host in document["hosts"]] == list(ADDRESSES)
    assert {host["outcome"] for host in document["hosts"]} <= {"judged", "not-judged"}
    assert {host["identity"]["address"] for host in document["hosts"]} == set(ADDRESSES)
    assert len({host["identity"]["machine_id"] for host in document["hosts"]}) == 1
    assert len(document["hosts"][0]["findings"]) > 10
    assert ran.err == ""


def test_plan_of_a_runbook_that_does_not_apply_says_so(answers: dict[str, Ran]) -> None:
    ran = answers["plan"]
    assert ran.code == 0, ran.said
    assert ran.out.splitlines()[0].split(":")[0] in ("OK", "UNKNOWN", "WARNING", "INFO", "MEMORY FRAGMENTATION")
    assert "Nothing was changed." in ran.out
    ran.plain()


def test_plan_ends_with_the_exact_next_command(three: Sshd, tmp_path: Path) -> None:
    path = book(tmp_path, look("uptime", "uptime"))
    words = [*_hosts(three, ADDRESSES[0]), "--sudo=never", "--patience", "30s"]
    ran = here("plan", path, *words)
    assert ran.code == 0, ran.said
    last = shlex.split(ran.out.splitlines()[-1].partition(":  ")[2])
    assert last[:3] == ["runbook", "run", path]
    assert _parts(words) <= _parts(last)
    assert here("plan", path, *words, "--exit-code").code == 8


def test_plan_of_three_hosts_as_json_keeps_to_its_schema(answers: dict[str, Ran]) -> None:
    document = json.loads(answers["plan --json"].out)
    _valid(document, "plan")
    assert [host["host"] for host in document["hosts"]] == list(ADDRESSES)
    assert all(host["steps"] for host in document["hosts"])


def test_facts_as_json_keep_to_their_schema(three: Sshd) -> None:
    document = json.loads(here("facts", "--json", *_hosts(three, *ADDRESSES)).out)
    _valid(document, "facts")
    assert len(document["hosts"]) == len(ADDRESSES)


@pytest.mark.usefixtures("machine")
def test_a_gate_that_cannot_be_asked_refuses_and_prints_the_command_that_allows_it(three: Sshd, tmp_path: Path) -> None:
    done = tmp_path / "done"
    path = book(tmp_path, act("touch", "touch", str(done), risk="medium"), resolved="memory.available_percent > 100.0")
    words = ["run", path, *_hosts(three, ADDRESSES[0])]
    refused = here(*words, "--yes")
    assert refused.code == 5, refused.said
    assert not done.exists()
    lines = refused.out.splitlines()
    [allow] = [line.partition(":  ")[2] for line in lines if line.startswith("To allow it:")]
    [saved] = [line.removeprefix("The plan is saved in ") for line in lines if line.startswith("The plan is saved")]
    plan = json.loads(Path(saved).read_text(encoding="utf-8"))
    assert plan["plans"][0]["steps"][0]["change"]["args"] == ["touch", str(done)]
    assert Path(saved).stat().st_mode & 0o077 == 0
    here(*shlex.split(allow)[1:])
    assert done.exists()
    assert here("audit", "verify").code == 0


@pytest.mark.usefixtures("machine")
def test_a_run_is_resolved_reported_and_on_record(three: Sshd, tmp_path: Path) -> None:
    path = book(tmp_path, look("evidence", "cat", "/proc/meminfo"), look("uptime", "uptime"))
    ran = here("run", path, *_hosts(three, ADDRESSES[0]), "--json", "--reason", "drill")
    assert ran.code == 0, ran.said
    records = [json.loads(line) for line in ran.out.splitlines()]
    _valid(records[-1], "run")
    events = [record["record"] for record in records if record.get("event") == "recorded"]
    for record in records[:-1]:
        _valid(record, "record")
    assert [event["type"] for event in events] == ["diagnosed", "step-finished", "step-finished", "run-finished"]
    assert all(
        {"time", "run", "actor", "host", "identity", "runbook_digest", "hash"} <= set(one) for one in records[:-1]
    )
    evidence = Path(events[1]["evidence"])
    assert "MemTotal" in evidence.read_text()
    assert records[-1]["hosts"][0]["outcome"] == "resolved"
    assert here("runs").out.count("resolved") == 1
    assert "RESOLVED" in here("report", "last").out
    shown = [json.loads(line) for line in here("audit", "export", records[-1]["run"]).out.splitlines()]
    assert len(shown) >= len(records)
    assert here("audit", "verify").code == 0
    evidence.write_text("nothing to see here")
    assert here("audit", "verify").code == 6


@pytest.mark.usefixtures("machine")
def test_several_hosts_one_after_the_other_and_all_at_once(three: Sshd, tmp_path: Path) -> None:
    path = book(tmp_path, look("uptime", "uptime"))
    ran = here("run", path, *_hosts(three, *ADDRESSES), "--forks=1", "--json")
    assert ran.code == 5, ran.said
    assert [host["outcome"] for host in json.loads(ran.out.splitlines()[-1])["hosts"]] == ["resolved", *["refused"] * 2]
    slow = book(tmp_path, look("sleep", "sleep", "2"), name="slow")
    # They are one machine: whoever comes second is told so.
    ran = here("run", slow, *_hosts(three, *ADDRESSES), "--yes")
    assert ran.code == 5, ran.said
    assert ran.err.count("RESOLVED: ") == 1
    assert ran.said.count("the same machine as") >= 1
    assert here("audit", "verify").code == 0


@pytest.mark.usefixtures("machine")
def test_the_gate_of_one_host_of_several_wants_its_name(three: Sshd, tmp_path: Path) -> None:
    path = book(
        tmp_path,
        act("touch", "touch", str(tmp_path / "done"), risk="medium"),
        resolved="memory.available_percent > 100.0",
    )
    with terminal("run", path, *_hosts(three, *ADDRESSES[:2]), "--forks=1", columns=250) as screen:
        screen.expect("host 1 of 2")
        screen.expect("y/N")
        screen.type("y\n")
        screen.expect("Type 127.0.0.1 to go on")
        screen.type("127.0.0.2\n")
        screen.expect("no answer")
        screen.type("Q\n")
        assert screen.wait() == 5
    assert not (tmp_path / "done").exists()
    assert screen.drawn.count("y/N") == 1


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """A process of ours that is large enough to be seen."""
    size = max(8 << 20, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 700)
    words = [sys.executable, "-c", HELD.format(size=size)]
    started = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout
    assert started.stdout.readline() == "ready\n"
    yield started
    started.send_signal(signal.SIGKILL)
    started.wait(10)


ADJUST = """\
  - id: prefer
    name: Let it be killed first
    action: set_oom_score_adj
    with: {{pid: {pid}, value: {value}}}
    verify: {{that: "{verify}", within: 2s}}
"""


@AS_ROOT
@pytest.mark.usefixtures("machine")
def test_a_reversible_change_is_made_and_one_that_does_not_help_is_taken_back(
    three: Sshd, tmp_path: Path, process: subprocess.Popen[str]
) -> None:
    adj = Path(f"/proc/{process.pid}/oom_score_adj")
    before = int(adj.read_text())
    proof = f"processes.all.exists(p, p.pid == {process.pid} && p.oom_score_adj == 900)"
    good = book(tmp_path, ADJUST.format(pid=process.pid, value=900, verify=proof), name="good")
    planned = here("plan", good, *_hosts(three, ADDRESSES[0]))
    assert f"{before} -> 900" in planned.out
    assert "undo: yes" in planned.out
    assert int(adj.read_text()) == before
    bad = book(
        tmp_path,
        ADJUST.format(pid=process.pid, value=901, verify="memory.total_bytes < 0"),
        name="bad",
        resolved="memory.available_percent > 100.0",
    )
    ran = here("run", bad, *_hosts(three, ADDRESSES[0]), "--yes")
    assert ran.code == 3, ran.said
    assert "taken back" in ran.out
    assert int(adj.read_text()) == before
    for _ in range(3):  # others work on this machine too: what they do to it may be blamed on the step
        ran = here("run", good, *_hosts(three, ADDRESSES[0]), "--yes")
        if "it did harm" not in ran.out:
            break
        assert int(adj.read_text()) == before
    assert ran.code == 0, ran.said
    assert int(adj.read_text()) == 900
    again = here("run", good, *_hosts(three, ADDRESSES[0]))
    assert "not needed" in again.out
    assert again.code == 0
    assert here("audit", "verify").code == 0


@pytest.fixture
def by_sudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    if not can_run():
        pytest.skip(MISSING)
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("sudo"):
        pytest.skip("needs root, unshare and sudo: a user with sudo is made in a mount namespace of the server's own")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server reads the user's keys as that user
        lines = {"passwd": "{0}:x:4242:4242::/:/bin/sh", "shadow": "{0}:*:19000::::::", "group": "{0}:x:4242:"}
        for file, line in lines.items():
            (folder / file).write_text(Path("/etc", file).read_text() + line.format(SUDO_USER) + "\n")
        (folder / "sudoers").write_text(f"root ALL=(ALL) ALL\n{SUDO_USER} ALL=(root) NOPASSWD: ALL\n")
        (folder / "sudoers").chmod(0o440)
        wrapper = folder / "sshd"
        wrapper.write_text(NAMESPACE.format(sshd=tests.sshd.SSHD, folder=folder))
        wrapper.chmod(0o755)
        monkeypatch.setattr(tests.sshd, "SSHD", str(wrapper))
        with running(folder) as server:
            (folder / "authorized").chmod(0o644)
            yield replace(server, user=SUDO_USER)


@pytest.mark.usefixtures("machine")
def test_a_user_with_sudo_works_as_root_and_without_it_as_itself(by_sudo: Sshd, tmp_path: Path) -> None:
    path = book(tmp_path, look("who", "id", "-u"))
    for sudo, uid in (("always", "0"), ("auto", "0"), ("never", "4242")):
        ran = here("run", path, *by_sudo.arguments, f"--sudo={sudo}", "--yes", "--json")
        assert ran.code == 0, ran.said
        events = [json.loads(line).get("record", {}) for line in ran.out.splitlines()]
        [evidence] = [event["evidence"] for event in events if event.get("evidence")]
        assert Path(evidence).read_text().startswith(f"{uid}\n")
    (by_sudo.folder / "sudoers").write_text("root ALL=(ALL) ALL\n")
    here("run", path, *by_sudo.arguments, "--sudo=always", "--yes").refused(4, "password is required", hint="NOPASSWD")
