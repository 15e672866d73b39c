"""Plans that wait for a person: those that schedules keep, and those of runs where a gate refused."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from pathlib import Path

import msgspec
from msgspec import Struct

from memrunbook.core.host import HostIdentity
from memrunbook.runtime.named_file import read_named
from memrunbook.state import disk
from memrunbook.state.approvals import approvals_file
from memrunbook.state.names import file_name
from memrunbook.state.run_directory import RUN_ID

FOLDER, DECLINED = "waiting", "declined.jsonl"
ENDING = ".json"
LARGEST = 64 << 20
UNKNOWN = HostIdentity()


class _Plan(Struct, frozen=True):
    identity: HostIdentity


class _Kept(Struct, frozen=True):
    """Of a plan that waits: for which machines it was made."""

    plans: tuple[_Plan, ...]


class Declined(Struct, frozen=True, kw_only=True):
    """One plan that a person declined: its file, that file's SHA-256 in hex, who, when (UTC) and why."""

    file: str
    digest: str
    who: str
    time: str
    why: str = ""


def plan_path(state: Path, schedule: str, host: str, machine: HostIdentity = UNKNOWN) -> Path:
    """Where a schedule, or what answers alerts, keeps its plan for a host; the folder is made.

    Each firing replaces the plan of the one before under the same name, which somebody was told. One that somebody
    approved stays, and so does that of another `machine` of the same name: a newer one lies beside it.
    """
    folder = state / FOLDER
    disk.make_directory(folder)
    names = (f"{schedule}@{f'{number}@' if number > 1 else ''}{file_name(host)}{ENDING}" for number in count(1))
    paths = map(folder.joinpath, names)
    return next(path for path in paths if not approvals_file(path).exists() and not _is_of_another(path, machine))


def withdraw_others(state: Path, newest: Path, host: str) -> None:
    """Lets go of what else the schedule keeps for a host under other names; one that somebody approved stays.

    So does that of another machine of the same name, as another inventory may have one.
    """
    schedule, machine = newest.name.partition("@")[0], _machine(newest)
    for path in disk.listed(state / FOLDER, f"{schedule}@*{ENDING}"):
        mine = path.name.rpartition("@")[2] == f"{file_name(host)}{ENDING}"
        if mine and path != newest and not approvals_file(path).exists() and not _is_of_another(path, machine):
            with disk.explained(path, "be removed"):
                path.unlink(missing_ok=True)


def _machine(path: Path) -> HostIdentity:
    """The machine that a plan was made for; an unknown one where that cannot be read."""
    try:
        found = msgspec.json.decode(read_named(path, LARGEST), type=_Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return UNKNOWN
    return found.plans[0].identity if found.plans else UNKNOWN


def _is_of_another(path: Path, machine: HostIdentity) -> bool:
    """True for the plan of another machine: by the first of what tells machines apart that is known of both."""
    kept = _machine(path) if machine != UNKNOWN else UNKNOWN
    sides = ((getattr(kept, name), getattr(machine, name)) for name in ("machine_id", "host_key", "address"))
    return next((one != other for one, other in sides if one and other), False)


def remove(plan: Path) -> None:
    """Removes a plan, and then its approvals: without these it would wait again. What fails is tried another time."""
    with suppress(OSError):
        plan.unlink(missing_ok=True)
        approvals_file(plan).unlink(missing_ok=True)


def kept(state: Path) -> list[Path]:
    """The plans that schedules and alerts keep in the folder for them."""
    return [path for path in disk.listed(state / FOLDER, f"*{ENDING}") if not path.is_symlink()]


def left_approvals(state: Path) -> list[Path]:
    """The plans that are gone, and their approvals are not: nobody else gets their names meanwhile."""
    ending = approvals_file(Path(ENDING)).name
    named = (
        path.with_name(path.name.removesuffix(ending) + ENDING) for path in disk.listed(state / FOLDER, f"*{ending}")
    )
    return [path for path in named if not path.exists()]


def forget(state: Path, prefix: str, before: float) -> None:
    """Removes what was kept under names that begin so, and written before then; what somebody approved stays."""
    for path in disk.listed(state / FOLDER, f"{prefix}*{ENDING}"):
        with disk.explained(path, "be removed"):
            if path.stat().st_mtime < before and not approvals_file(path).exists():
                path.unlink(missing_ok=True)


def waiting(state: Path) -> list[Path]:
    """The files of plans that were kept, those of schedules first; which of them are still of use is not looked at."""
    runs = [path for path in disk.listed(state / "runs", "*") if RUN_ID.fullmatch(path.name)]
    return [*kept(state), *(plan for path in reversed(runs) for plan in disk.listed(path, f"plan-*{ENDING}"))]


def declined(state: Path) -> frozenset[str]:
    """The digests of the plans that were declined."""
    return frozenset(one.digest for one in declines(state))


def declines(state: Path) -> list[Declined]:
    """What was declined, the oldest first."""
    lines = disk.contents(state / DECLINED).splitlines()
    return [found for line in lines if (found := read_decline(line)) is not None]


def decline(state: Path, one: Declined) -> None:
    """Remembers it; JournalError where that cannot be written."""
    path = state / DECLINED
    file = disk.open_for_append(path)
    with open(file, "ab", closefd=True):  # noqa: PTH123  a number
        disk.append(file, path, msgspec.json.encode(one) + b"\n")


def read_decline(line: bytes) -> Declined | None:
    """What a line says; None for what is none."""
    try:
        return msgspec.json.decode(line, type=Declined)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
