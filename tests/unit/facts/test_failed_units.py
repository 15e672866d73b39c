"""Who has failed: systemd is asked only where a unit has moved since the lock, in every shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.unit.facts.shell_walks import SHELLS

from memrunbook import catalog
from memrunbook.facts.failed_units import QUIET

LOCKED = 1_700_000_000


def quiet(shell: tuple[str, ...], root: Path, told: str = "probe_told=yes") -> bool:
    """Whether the condition holds on a host whose /run is this folder, in a shell in which systemd was asked before."""
    script = f"set -u; {told}\n{QUIET.replace('/run/', f'{root}/')}"
    return subprocess.run([*shell, "-c", script], check=False, timeout=60).returncode == 0


def host(root: Path, *, lock: float | None, moved: float | None) -> Path:
    """A host that systemd runs, locked at that time, whose last unit began or ended at the other one; seconds."""
    (root / "systemd" / "system").mkdir(parents=True)
    if lock is not None:
        (root / "memrunbook.lock").touch()
        os.utime(root / "memrunbook.lock", (lock, lock))
    if moved is not None:
        (root / "systemd" / "units").mkdir()
        os.utime(root / "systemd" / "units", (moved, moved))
    return root


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("lock", "moved", "expected"),
    [
        (LOCKED, LOCKED - 60.0, True),
        (LOCKED, LOCKED + 60.0, False),
        (LOCKED, LOCKED, False),
        (None, LOCKED - 60.0, False),
        (None, None, False),
        (LOCKED, None, False),
    ],
)
def test_it_is_asked_unless_the_lock_is_newer_than_every_move(
    shell: tuple[str, ...],
    lock: float | None,
    moved: float | None,
    expected: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    assert quiet(shell, host(tmp_path, lock=lock, moved=moved)) is expected


@pytest.mark.parametrize("shell", SHELLS)
def test_the_first_reading_behind_the_lock_asks(shell: tuple[str, ...], tmp_path: Path) -> None:
    """Whoever failed between the diagnosis and the lock is not blamed on the change."""
    assert not quiet(shell, host(tmp_path, lock=LOCKED, moved=LOCKED - 60.0), told="")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_host_without_systemd_is_not_asked(shell: tuple[str, ...], tmp_path: Path) -> None:
    assert quiet(shell, tmp_path)
    assert quiet(shell, tmp_path, told="")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_unit_that_begins_and_one_that_ends_are_moves(shell: tuple[str, ...], tmp_path: Path) -> None:
    units = host(tmp_path, lock=LOCKED, moved=LOCKED - 60.0) / "systemd" / "units"
    link = units / "invocation:web.service"
    link.symlink_to("0123456789abcdef")
    assert not quiet(shell, tmp_path)
    os.utime(units, (LOCKED - 60.0, LOCKED - 60.0))
    assert quiet(shell, tmp_path)
    link.unlink()
    assert not quiet(shell, tmp_path)


def test_a_diagnosis_does_not_ask_it() -> None:
    """It has the services themselves, and each question of systemd is a process on the host."""
    assert catalog.facts().keys() - catalog.standing_facts() == {"failed_units"}
