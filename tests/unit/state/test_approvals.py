"""The file of approvals beside a plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.state.approvals import SignedApproval, add_approval, approvals_file, read_approvals

ADA, BOB = (SignedApproval(principal=name, key="SHA256:x", time="", signature="s") for name in ("ada", "bob"))


def test_approvals_are_added_one_after_the_other(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert read_approvals(plan) == []
    assert add_approval(plan, ADA) == approvals_file(plan) == tmp_path / "plan.json.approvals"
    add_approval(plan, BOB)
    assert read_approvals(plan) == [ADA, BOB]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    add_approval(plan, ADA)
    with approvals_file(plan).open("a") as file:
        file.write('{"format": "memrunbook.app')
    with pytest.raises(UsageError, match=r"plan.json.approvals:2: this is no approval"):
        read_approvals(plan)


def test_a_place_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    approvals_file(plan).mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read_approvals(plan)
    with pytest.raises(UsageError, match="cannot be written"):
        add_approval(plan, ADA)


def test_a_file_that_no_people_signed_is_not_read(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    with approvals_file(plan).open("wb") as file:
        file.truncate(257 << 10)
    with pytest.raises(UsageError, match="larger than 256 KiB"):
        read_approvals(plan)
