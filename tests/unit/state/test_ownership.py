"""Whose a file is, in words; and what a team's directory hands on to what is made there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec import structs

from memrunbook.core.errors import JournalError
from memrunbook.state import disk, heads, keys, ledger, lines, paths
from memrunbook.state.approvals import SignedApproval, add_approval, read_approvals
from memrunbook.state.chain import Link
from memrunbook.state.ledger import LedgerEntry
from memrunbook.state.ownership import group_name, is_shared, member, user_name, whose

ENTRY = LedgerEntry("20261122T094107Z-abcd", "run.jsonl", "start", "0" * 64, 0)
AT = "2026-11-22T09:41:07+00:00"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    state = tmp_path / "team"
    state.mkdir()
    state.chmod(0o3770)
    return state


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize(
    ("bits", "team"), [(0o700, False), (0o770, False), (0o2750, False), (0o2770, True), (0o3775, True)]
)
def test_a_team_is_told_by_the_mode(tmp_path: Path, bits: int, *, team: bool) -> None:
    tmp_path.chmod(bits)
    assert is_shared(tmp_path) is team
    assert member(tmp_path) == (f"-{os.geteuid()}" if team else "")
    assert not is_shared(tmp_path / "gone")


def test_names_or_numbers() -> None:
    assert user_name(0) == "root (uid 0)"
    assert user_name(4_000_000) == "uid 4000000"
    assert group_name(4_000_000) == "gid 4000000"


def test_whose_a_path_is_or_the_folder_above_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(0o640)
    file.chmod(0o640)
    assert whose(file).startswith(f"it belongs to {user_name(os.geteuid())}, group ")
    assert "mode 0640" in whose(file)
    assert whose(tmp_path / "none" / "below").startswith(f"{tmp_path} belongs to ")
    assert whose(Path("relative-and-gone")).startswith(". belongs to ")


def test_what_is_made_is_the_teams_whatever_the_umask(shared: Path) -> None:
    before = os.umask(0o077)
    try:
        disk.make_directory(shared / "a" / "b")
        disk.make_directory(shared / "own", own=True)
        disk.create(shared / "a" / "evidence", b"x")
        os.close(disk.open_for_append(shared / "a" / "journal"))
        os.close(disk.open_for_append(shared / "a" / "journal"))
        ledger.append(shared, [ENTRY], AT)
    finally:
        os.umask(before)
    assert [mode(shared / one) for one in ("a", "a/b", "own", "keys")] == [0o2770, 0o2770, 0o3770, 0o3770]
    assert [mode(shared / one) for one in ("a/evidence", "a/journal", "ledger.jsonl")] == [0o640, 0o660, 0o660]
    uid = os.geteuid()
    made = {path.name: mode(path) for path in (shared / "keys").iterdir()}
    assert made == {f"ledger-{uid}.key": 0o600, f"ledger-{uid}.pub": 0o640, f"ledger-{uid}.head": 0o640}


def test_each_member_has_a_key_and_the_one_of_before_goes_on_to_vouch(shared: Path) -> None:
    shared.chmod(0o700)
    ledger.append(shared, [ENTRY], AT)
    older = keys.load(shared).public
    shared.chmod(0o3770)
    ledger.append(shared, [ENTRY], AT)
    known = keys.known(shared)
    assert set(known.owners) == {older, keys.load(shared).public}
    assert len(known.owners) == 2
    assert set(known.owners.values()) == {os.geteuid()}
    assert known.faults == {}
    assert [link.count for link in heads.seen(shared)] == [2, 1]


def test_a_key_that_is_none_or_was_put_there_by_another_vouches_for_nobody(shared: Path) -> None:
    ledger.append(shared, [ENTRY], AT)
    (shared / "keys" / "ledger-999999.pub").write_text("0" * 64)
    (shared / "keys" / "ledger-5.pub").write_text("no key")
    known = keys.known(shared)
    assert len(known.owners) == 1
    other, none = (known.faults[shared / "keys" / f"ledger-{uid}.pub"] for uid in (999999, 5))
    assert other.startswith("the key of uid 999999 was put there by ")
    assert none == "this is no public key"


def test_a_key_that_was_used_and_is_gone_is_not_made_anew(shared: Path) -> None:
    ledger.append(shared, [ENTRY], AT)
    keys.key_file(shared).unlink()
    with pytest.raises(JournalError, match="no such file"):
        ledger.append(shared, [ENTRY], AT)


def test_the_head_of_any_member_finds_a_cut(shared: Path) -> None:
    ledger.append(shared, [ENTRY], AT)
    heads.write(shared / "keys" / "ledger-999999.head", Link("1" * 64, 7))
    with pytest.raises(JournalError, match="not the 7 that were written"):
        ledger.append(shared, [ENTRY], AT)


def test_what_may_not_be_read_is_not_taken_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert disk.contents(tmp_path / "gone") == b""
    assert disk.contents(tmp_path / "gone" / "more") == b""
    with pytest.raises(JournalError, match="no regular file"):
        disk.contents(tmp_path)

    file, usual = tmp_path / "file", os.open
    file.touch(0o600)

    def denied(path: str | Path, *more: int) -> int:
        if path == file:
            raise PermissionError(13, "Permission denied")
        return usual(path, *more)

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(JournalError, match=r"permission denied; it belongs to .* mode 0600; this is ") as caught:
        list(lines.read_lines(file, dict))
    assert caught.value.where == str(file)
    assert "runbook doctor" in caught.value.hint


def test_a_group_that_may_write_without_being_a_team_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    with pytest.raises(JournalError, match="would not be the group's") as caught:
        paths.prepare(tmp_path)
    assert caught.value.hint == f"for a team: chmod 3770 {tmp_path}; for one user: chmod 700 {tmp_path}"
    tmp_path.chmod(0o3770)
    assert paths.prepare(tmp_path) == tmp_path


def test_a_user_without_a_home_names_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    with pytest.raises(JournalError, match="no home directory") as caught:
        paths.state_dir(None, {}, 1000)
    assert "--state-dir" in caught.value.hint


def test_the_approvals_of_a_teams_plan_are_added_to_by_each(shared: Path) -> None:
    approval = SignedApproval(principal="ada", key="SHA256:x", time=AT, signature="-----")
    before = os.umask(0o077)
    try:
        file = add_approval(shared / "plan.json", approval)
        add_approval(shared / "plan.json", structs.replace(approval, principal="bob"))
    finally:
        os.umask(before)
    assert mode(file) == 0o660
    assert len(read_approvals(shared / "plan.json")) == 2
