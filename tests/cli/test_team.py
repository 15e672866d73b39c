"""A state directory that two users share, and what is said where one may not read or write what is another's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.books import act, book
from tests.cli.console import Ran, here
from tests.users import ADA, BOB, EVE, GROUP, Team, modes, team

from memrunbook.state import ledger

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WAY = ("--host", "local", "--sudo", "never")


@pytest.fixture(scope="module")
def shared() -> Iterator[Team]:
    with team() as made:
        yield made


def endless(made: Team, *steps: str, name: str = "small") -> str:
    path = book(made.folder, *steps, name=name, resolved="memory.available_percent > 100.0")
    Path(path).chmod(0o644)
    return path


def run_id(ran: Ran) -> str:
    return str(json.loads(ran.out.splitlines()[-1])["run"])


def not_intact(ran: Ran, *words: str) -> None:
    assert ran.code == 6, ran.said
    assert all(word in ran.out for word in words), ran.said


def carried_out(made: Team, uid: int, name: str = "small") -> Ran:
    return made.run(uid, "run", endless(made, act("once", "true"), name=name), *WAY, "--yes", "--json")


def test_whatever_the_umask_each_can_do_all_with_what_the_other_made(shared: Team) -> None:
    hers, his = carried_out(shared, ADA), carried_out(shared, BOB)
    assert (hers.code, his.code) == (3, 3), hers.said + his.said
    assert shared.run(ADA, "runs").out.startswith("2 runs")
    report = shared.run(BOB, "report", run_id(hers))
    assert (report.code, f"uid {ADA}" in report.out) == (0, True), report.said
    assert shared.run(ADA, "audit", "verify").out.startswith("INTACT UP TO ITS END")
    assert shared.run(BOB, "off", "a", "release").code == 0
    assert shared.run(ADA, "on").code == 0
    assert shared.run(BOB, "audit", "show", "--json").code == 0
    kinds = {path.rpartition("/")[2].partition(".")[2] or "folder": mode for path, mode, _ in modes(shared.state)}
    databases = {"sqlite": "0660", "sqlite.lock": "0660"}
    assert kinds == {"folder": "2770", "jsonl": "0660", "head": "0640", "pub": "0640", "key": "0600", **databases}
    sealed = {(entry.key, entry.run) for entry in ledger.read(shared.state)}
    assert len({key for key, _ in sealed}) == 2, "each seals with a key of its own"


def test_a_plan_of_one_is_applied_by_another_and_limits_are_shared(shared: Team) -> None:
    refused = shared.run(ADA, "run", endless(shared, act("ask", "uname", risk="medium"), name="asks"), *WAY, "--json")
    assert refused.code == 5, refused.said
    [plan] = (shared.state / "runs" / run_id(refused)).glob("plan-*.json")
    assert plan.stat().st_mode & 0o777 == 0o640
    applied = shared.run(BOB, "apply", str(plan), "--sudo", "never", "--json")
    assert applied.code == 3, applied.said
    assert json.loads(applied.out.splitlines()[-1])["hosts"][0]["steps"][0]["state"] == "done"
    again = shared.run(ADA, "run", endless(shared, act("ask", "uname", risk="medium"), name="asks"), *WAY, "--json")
    assert (again.code, "cool-down" in again.out) == (5, True), "what one did holds the other back"


def test_one_goes_on_with_and_takes_back_what_another_did(shared: Team) -> None:
    made = shared.run(ADA, "run", endless(shared, act("undoable", "true"), name="undoable"), *WAY, "--yes", "--json")
    undone = shared.run(BOB, "undo", run_id(made), *WAY, "--yes")
    assert undone.code in (0, 5), undone.said
    assert "defect" not in undone.said
    resumed = shared.run(BOB, "resume", _cut_off(shared), "--sudo", "never", "--yes", "--json")
    assert resumed.code in (0, 3), resumed.said
    verified = shared.run(ADA, "audit", "verify")
    assert verified.code == 0, verified.said


def _cut_off(made: Team) -> str:
    """A run of Ada's whose end was never written, as a power cut leaves it."""
    ran = carried_out(made, ADA, "cut")
    run = made.state / "runs" / run_id(ran)
    book_ = ledger.ledger_file(made.state)
    lines = book_.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not (run.name.encode() in line and b'"event":"end"' in line)]
    assert kept == lines[: len(kept)]
    book_.write_bytes(b"".join(kept))
    last = json.loads(kept[-1])
    for head in (made.state / "keys").glob("*.head"):
        count = int(head.read_text().split()[1])
        if count > len(kept):
            head.write_text(f"{last['hash']} {len(kept)}\n")
    journal = run / "run.jsonl"
    records = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in records if b'"event":"ended"' not in line))
    return run.name


def test_nobody_writes_in_the_name_of_another() -> None:
    with team() as made:
        carried_out(made, ADA)
        carried_out(made, BOB)
        keys = made.state / "keys"
        assert made.run(BOB, "audit", "verify").code == 0
        mine, hers = keys / f"ledger-{BOB}.pub", keys / f"ledger-{ADA}.pub"
        hers_text = hers.read_text()
        hers.unlink()
        hers.write_text(mine.read_text())
        os.chown(hers, BOB, GROUP)
        not_intact(made.run(ADA, "audit", "verify"), "was put there by", "it vouches for nobody")
        hers.write_text(hers_text)
        os.chown(hers, ADA, GROUP)
        assert made.run(ADA, "audit", "verify").code == 0
        mine_text = mine.read_text()
        hers.write_text(mine_text)
        mine.write_text(hers_text)
        found = made.run(ADA, "audit", "verify")
        not_intact(found, f"the run says that uid {ADA}", "it is not what it says")


def test_a_member_that_cuts_the_ledger_is_found_by_the_head_of_another() -> None:
    with team() as made:
        carried_out(made, ADA)
        carried_out(made, BOB)
        book_ = ledger.ledger_file(made.state)
        lines = book_.read_bytes().splitlines(keepends=True)
        carried_out(made, ADA)
        book_.write_bytes(b"".join(lines))
        head = made.state / "keys" / f"ledger-{BOB}.head"
        head.write_text(f"{json.loads(lines[-1])['hash']} {len(lines)}\n")
        not_intact(made.run(BOB, "audit", "verify"), "are missing at its end")
        made.run(BOB, "run", endless(made, act("once", "true")), *WAY, "--yes").refused(6, "its end was removed")


NEEDED_BY = {
    "ledger.jsonl": ("run", "runs", "audit"),
    "keys": ("run", "runs", "audit"),
    "runs": ("run", "runs", "audit", "undo"),
    "store.sqlite": ("run", "off"),
    "runs/*": ("run", "runs", "audit", "undo"),
    "runs/*/run.jsonl": ("run", "runs", "audit", "undo"),
    "runs/*/local.jsonl": ("audit", "undo"),
}


@pytest.fixture(scope="module")
def ran_once() -> Iterator[Team]:
    """One run of Ada's, to be copied: a run that is refused may leave its own directory."""
    with team() as made:
        assert carried_out(made, ADA).code == 3
        yield made


@pytest.mark.parametrize("spoilt", NEEDED_BY)
def test_a_file_that_may_not_be_read_is_named_with_its_owner_and_mode(spoilt: str, ran_once: Team) -> None:
    with team() as made:
        subprocess.run(["cp", "-a", f"{ran_once.state}/.", str(made.state)], check=True)
        assert modes(made.state) == modes(ran_once.state)
        [path] = made.state.glob(spoilt)
        path.chmod(0o000)
        again = endless(made, act("once", "true"))
        commands = {"run": [again, *WAY, "--yes"], "runs": [], "audit": ["verify"], "undo": ["last", *WAY], "off": []}
        for name in NEEDED_BY[spoilt]:
            ran = made.run(BOB, name, *commands[name])
            assert (ran.code, "defect" in ran.said) == (6, False), (name, ran.said)
            assert f"belongs to uid {path.stat().st_uid}, group gid {GROUP}, mode 0000" in ran.said, (name, ran.said)
            assert f"this is uid {BOB}" in ran.said


def test_a_directory_of_one_user_is_no_other_users() -> None:
    with team(mode=0o700) as made:
        os.chown(made.state, ADA, GROUP)
        ran = carried_out(made, ADA)
        assert ran.code == 3, ran.said
        for words in (["runs"], ["report", "last"], ["audit", "verify"], ["off"], ["undo", "last", *WAY]):
            refused = made.run(BOB, *words)
            refused.refused(6, f"belongs to uid {ADA}", "mode 0700", hint="run as its owner")
        carried_out(made, BOB).refused(6, f"belongs to uid {ADA}", "mode 0700", hint="run as its owner")


def test_a_directory_whose_group_may_write_is_a_teams_or_refused() -> None:
    with team(mode=0o770) as made:
        carried_out(made, ADA).refused(6, "the group may write", hint="chmod 3770")
        assert list(made.state.iterdir()) == []


def test_a_stranger_gets_nothing(shared: Team) -> None:
    ran = shared.run(EVE, "doctor", gid=EVE)
    assert (ran.code, "mode 3770" in ran.said, "defect" in ran.said) == (6, True, False), ran.said
    for words in (["runs"], ["audit", "verify"], ["off"]):
        shared.run(EVE, *words, gid=EVE).refused(6, "permission denied", "mode 3770", hint="run as its owner")


def test_a_user_without_a_name_and_without_a_home_is_told_what_is_missing(shared: Team) -> None:
    ran = shared.run(ADA, "run", endless(shared, act("once", "true")), *WAY, "--yes", RUNBOOK_STATE_DIR="", HOME="")
    ran.refused(6, "it could not be made", hint="--state-dir")
    shared.run(ADA, "facts", "host", "--host", "127.0.0.9:1").refused(2, "as whom?", hint="USER@HOST")


def test_a_file_of_another_is_no_defect_wherever_it_is_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "theirs"
    file.touch(0o600)

    def met(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr("memrunbook.app.reporting.runs", met)
    here("runs").refused(6, str(file), "mode 0600", hint="runbook doctor")
