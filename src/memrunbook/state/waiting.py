"""Plans that wait for a person: those that schedules keep, and those of runs where a gate refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
from msgspec import Struct

from memrunbook.core.schedule import Moment
from memrunbook.state import disk
from memrunbook.state.approvals import approvals_file
from memrunbook.state.names import file_name
from memrunbook.state.run_directory import RUN_ID

FOLDER, DECLINED = "waiting", "declined.jsonl"
ENDING = ".json"


class Declined(Struct, frozen=True, kw_only=True):
    """One plan that a person declined: its file, that file's SHA-256 in hex, who, when (UTC) and why."""

    file: str
    digest: str
    who: str
    time: str
    why: str = ""


def plan_path(state: Path, moment: Moment, host: str) -> Path:
    """Where the plan of a firing for a host is kept; its folder is made."""
    folder = state / FOLDER
    disk.make_directory(folder)
    stamp = f"{dt.datetime.fromtimestamp(moment.nominal, dt.UTC):%Y%m%dT%H%M%SZ}"
    return folder / f"{moment.schedule}@{stamp}@{file_name(host)}{ENDING}"


def withdraw_older(state: Path, newest: Path, host: str) -> None:
    """Lets go of the plans that earlier firings of the schedule kept for a host: the newest one counts.

    One that somebody approved stays.
    """
    schedule = newest.name.partition("@")[0]
    for path in disk.listed(state / FOLDER, f"{schedule}@*@*{ENDING}"):
        mine = path.name.endswith(f"@{file_name(host)}{ENDING}")
        if mine and path != newest and not approvals_file(path).exists():
            with disk.explained(path, "be removed"):
                path.unlink(missing_ok=True)


def waiting(state: Path) -> list[Path]:
    """The files of plans that were kept, those of schedules first; which of them are still of use is not looked at."""
    kept = [path for path in disk.listed(state / FOLDER, f"*{ENDING}") if not path.is_symlink()]
    runs = [path for path in disk.listed(state / "runs", "*") if RUN_ID.fullmatch(path.name)]
    return [*kept, *(plan for path in reversed(runs) for plan in disk.listed(path, f"plan-*{ENDING}"))]


def declined(state: Path) -> frozenset[str]:
    """The digests of the plans that were declined."""
    lines = disk.contents(state / DECLINED).splitlines()
    return frozenset(found.digest for line in lines if (found := _read(line)) is not None)


def decline(state: Path, one: Declined) -> None:
    """Remembers it; JournalError where that cannot be written."""
    path = state / DECLINED
    file = disk.open_for_append(path)
    with open(file, "ab", closefd=True):  # noqa: PTH123  a number
        disk.append(file, path, msgspec.json.encode(one) + b"\n")


def _read(line: bytes) -> Declined | None:
    try:
        return msgspec.json.decode(line, type=Declined)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
