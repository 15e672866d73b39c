"""`record`, and what reads recordings: --replay of files and folders."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.console import WORDS, environment, here
from tests.cli.test_fleet import silent_port
from tests.cli.test_json import valid
from tests.sshd import Sshd

from memrunbook.app.recording import safe_names
from memrunbook.transports.shared.bundle import read_bundle

RECORDED = Path(__file__).parents[1] / "hosts"
THRASHING, IDLE = RECORDED / "swap-thrash.txt", RECORDED / "idle-healthy.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings, and what is none."""
    made = tmp_path / "bundles"
    made.mkdir()
    for path in (THRASHING, IDLE):
        (made / path.name).write_bytes(path.read_bytes())
    (made / "README").write_text("from last night\n")
    return made


def test_a_host_is_recorded_into_a_file_that_diagnose_reads(tmp_path: Path) -> None:
    file = tmp_path / "here.txt"
    ran = here("record", "--host=local", "-o", str(file))
    assert ran.code == 0, ran.said
    assert f"read it: runbook diagnose --replay {file}" in ran.out
    assert re.search(r" [3-9] samples, ", ran.out), ran.out
    assert "names are in it (--mask hides them too)" in ran.out
    assert file.stat().st_mode & 0o777 == 0o600
    first, second, third = file.read_text().split("\n")[:3]
    assert first == "@@case bundle 2"
    assert second.startswith("@@case recorded 20")
    assert third == "@@case hides secrets"
    assert here("diagnose", "--replay", str(file)).code in (0, 8, 9)
    here("record", "--host=local", "-o", str(file)).refused(2, "the file is there already", hint="--force")


def test_a_host_that_is_not_reached_is_told_and_the_others_are_recorded(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = here("record", "--host=local,127.0.0.1:1", "-o", str(out), "--no-input")
    assert ran.code == 4, ran.said
    assert "127.0.0.1" in ran.out
    assert "error: 127.0.0.1" in ran.out
    assert [path.name for path in out.iterdir()] == ["local.txt"]
    assert f"runbook diagnose --replay {out / 'local.txt'}" in ran.out


def wait_for(files: list[Path], process: subprocess.Popen[bytes]) -> None:
    """Until these are there, whole, while the command still runs."""
    deadline = time.monotonic() + 90
    while not all(file.exists() for file in files) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    assert [file.name for file in files if not file.exists()] == []


def test_after_ctrl_c_those_that_had_ended_are_written_already(sshd: Sshd, tmp_path: Path) -> None:
    names, out = ("one", "slow", "two"), tmp_path / "tonight"
    called = {"one": "host-1", "two": "host-3"}
    with silent_port() as port:
        ports = {"one": sshd.port, "slow": port, "two": sshd.port}
        config = "".join(
            f"Host {name}\n HostName 127.0.0.1\n Port {ports[name]}\n User {sshd.user}\n" for name in names
        )
        (tmp_path / "config").write_text(config, encoding="ascii")
        reach = [*sshd.arguments[1:3], f"--ssh-config={tmp_path / 'config'}", f"--host={','.join(names)}"]
        words = ["record", *reach, "--json", "--mask", "--patience=100s", "-o", str(out)]
        process = subprocess.Popen([*WORDS, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        wait_for([out / f"{name}.txt" for name in called.values()], process)
        process.send_signal(signal.SIGINT)
        told, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    document = json.loads(told)
    valid(document, "recording")
    ends = {
        host["host"]: (host["outcome"], host["called"] if host["outcome"] == "ok" else host["error"])
        for host in document["hosts"]
    }
    assert ends == {
        "one": ("ok", called["one"]), "slow": ("interrupted", "interrupted while it was connected to"),
        "two": ("ok", called["two"]),
    }  # fmt: skip
    assert sorted(path.name for path in out.iterdir()) == ["host-1.txt", "host-3.txt"]
    first, second = (read_bundle(out / f"{name}.txt") for name in called.values())
    assert first[0].text("/etc/machine-id") == second[0].text("/etc/machine-id")
    assert here("diagnose", "--replay", str(out)).code in (0, 8, 9)


def test_a_slash_at_the_end_asks_for_a_folder(tmp_path: Path) -> None:
    folder, file = tmp_path / "tonight", tmp_path / "file"
    ran = here("record", "--replay", str(IDLE), "-o", f"{folder}/")
    assert ran.code == 0, ran.said
    assert f"runbook diagnose --replay {folder / 'idle-healthy.txt'}" in ran.out
    assert [path.name for path in folder.iterdir()] == ["idle-healthy.txt"]
    assert here("record", "--replay", str(THRASHING), "-o", f"{folder}/").code == 0, "the next night into the same"
    assert here("record", "--replay", str(IDLE), "-o", str(file)).code == 0
    assert file.is_file()
    here("record", "--replay", str(IDLE), "-o", f"{file}/").refused(2, "this is a file", hint="name one")


def test_a_masked_recording_is_judged_the_same_under_other_names(tmp_path: Path) -> None:
    file = tmp_path / "masked.txt"
    ran = here("record", "--replay", str(THRASHING), "--mask", "-o", str(file))
    assert ran.code == 0, ran.said
    assert "swap-thrash as host-1" in ran.out
    assert "worker" not in file.read_text()
    assert "@@case hides secrets, names\n" in file.read_text()
    judged = here("diagnose", "--replay", str(file))
    assert judged.code == 8
    assert "unit-1.service" in judged.out
    assert f"next: runbook plan swap-thrashing --replay {file}" in " ".join(judged.out.split())


def test_what_placeholders_stand_for_is_said_on_request(tmp_path: Path) -> None:
    ran = here("record", "--replay", str(THRASHING), "--mask", "-v", "-o", str(tmp_path / "masked.txt"))
    assert "unit-1.service" in ran.out
    assert "worker.service" in ran.out


def test_a_folder_of_recordings_is_many_hosts(folder: Path, tmp_path: Path) -> None:
    read = here("diagnose", "--json", "--replay", str(folder))
    assert read.code == 8, read.said
    hosts = [host["host"] for host in json.loads(read.out)["hosts"]]
    assert hosts == ["idle-healthy", "swap-thrash"]
    [thrashing] = [group for group in json.loads(read.out)["groups"] if group["severity"] == "critical"]
    planned = here(*shlex.split(thrashing["next"])[1:], "--json")
    assert [host["host"] for host in json.loads(planned.out)["hosts"]] == ["swap-thrash"], planned.said
    one = here("plan", "swap-thrashing", "--json", "--replay", str(folder), "-l", "swap-*")
    assert [host["host"] for host in json.loads(one.out)["hosts"]] == ["swap-thrash"]
    both = here("facts", "swap.total_bytes", "--json", "--replay", str(THRASHING), "--replay", str(IDLE))
    assert [host["host"] for host in json.loads(both.out)["hosts"]] == ["swap-thrash", "idle-healthy"]
    again = here("record", "--replay", str(folder), "--mask", "--json", "-o", str(tmp_path / "masked"))
    told = json.loads(again.out)
    assert (told["masked"], [host["called"] for host in told["hosts"]]) == (True, ["host-1", "host-2"])
    assert sorted(path.name for path in (tmp_path / "masked").iterdir()) == ["host-1.txt", "host-2.txt"]


def test_all_readings_of_a_watched_host_are_used_without_waiting() -> None:
    ran = here("diagnose", "--json", "--replay", str(RECORDED / "two-growing.txt"))
    [host] = json.loads(ran.out)["hosts"]
    assert [incident["runbook"] for incident in host["incidents"]] == ["memory-leak"]
    assert len(read_bundle(RECORDED / "two-growing.txt")) >= 9


def test_what_cannot_be_meant_is_refused_before_anything_is_read(folder: Path, tmp_path: Path) -> None:
    here("diagnose", "--replay", str(folder), "--host=web1").refused(2, "none can be named too", hint="leave one out")
    other = tmp_path / "other"
    other.mkdir()
    (other / "idle-healthy").write_bytes(IDLE.read_bytes())
    here("diagnose", "--replay", str(folder), "--replay", str(other)).refused(
        2, "two recordings are named", hint="rename"
    )
    here("diagnose", "--replay", str(folder), "-l", "nobody*").refused(2, "no host or group matches", hint="")
    here("record", "--replay", str(folder), "-o", str(IDLE)).refused(2, "this is a file", hint="name one")
    here("record", "--replay", str(IDLE), "-o", str(tmp_path / "no" / "x")).refused(2, "no such folder", hint="make it")


def test_a_spoilt_recording_among_others_is_told_by_its_name(folder: Path) -> None:
    (folder / "cut.txt").write_bytes(IDLE.read_bytes()[:5000])
    ran = here("diagnose", "--replay", str(folder))
    ran.refused(2, "cut ", "ends in the middle of a sample", hint="copy it again")
    assert "swap-thrash" in ran.out


def test_a_secret_is_hidden_in_a_recording(tmp_path: Path) -> None:
    text = IDLE.read_text().replace("Command line: root=/dev/vda", "Command line: db_password=hunter2 root=/dev/vda")
    (tmp_path / "with.txt").write_text(text)
    assert here("record", "--replay", str(tmp_path / "with.txt"), "-o", str(tmp_path / "without.txt")).code == 0
    assert "hunter2" not in (tmp_path / "without.txt").read_text()


def test_names_of_files_are_safe_and_no_two_alike() -> None:
    assert list(safe_names(["web1", "WEB1", "../../etc/x", "fe80::1%eth0", "..", "ö"]).values()) == [
        "web1", "WEB1_2", "_.._etc_x", "fe80__1_eth0", "host", "_",
    ]  # fmt: skip
