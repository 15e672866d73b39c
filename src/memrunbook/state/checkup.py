"""Looks at a state directory and its store for `doctor`, without changing anything in them."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from memrunbook.core.errors import RunbookError
from memrunbook.core.units import format_bytes, format_duration
from memrunbook.runtime.inspection import InspectedState, Inspection
from memrunbook.state import audit, keys, ledger
from memrunbook.state.ownership import group_name, is_shared, user_name, whose
from memrunbook.state.store import FILE
from memrunbook.state.store.checkup import inspect_store

LEAST_FREE = 64 << 20
"""Bytes; a run with evidence takes less than a tenth of that."""
NAMED = 3
SLACK = 60.0
"""Seconds by which a record may be newer than now: two machines never agree quite."""
PRIVATE = ".key"


def inspect_state(state: Path, place: str, password: str, now: float) -> Iterator[Inspection]:
    """The directory, the files in it, what the ledger says, the clock, and the store with its password.

    `place` is the store's URL or path, empty for the file in the directory. `now` in seconds since 1970.
    """
    try:
        if state.is_dir():
            yield from _directory(state)
            if os.access(state, os.R_OK | os.X_OK):
                yield from _files(state)
                yield from _journals(state)
                yield from _clock(state, now)
        else:
            yield _not_there(state)
    except RunbookError as error:
        yield _found("journals", "missing", str(error), error.hint)
    except OSError as error:
        said = f"{(error.strerror or str(error)).lower()}; {whose(state)}"
        yield _found("state directory", "missing", f"{state}: {said}", "run as its owner, or name another: --state-dir")
    if place:
        yield from inspect_store(state, place, password, now)
    elif os.access(state, os.X_OK):
        there = (state / FILE).exists()
        made = f"{state / FILE} is made at the first run"
        yield from inspect_store(state, place, password, now) if there else [_found("store", "note", made)]


def _not_there(state: Path) -> Inspection:
    above = next((one for one in state.parents if one.exists()), Path("/"))
    if state.exists():
        return _found("state directory", "missing", f"{state} is a file", "move it, or name another: --state-dir")
    if not os.access(above, os.W_OK | os.X_OK):
        said = f"{state} is not there and cannot be made: {whose(above).replace('it belongs', f'{above} belongs')}"
        return _found("state directory", "missing", said, "make it as root for this user, or name another: --state-dir")
    return _found("state directory", "note", f"{state} is made at the first run, for {user_name(os.geteuid())} alone")


def _directory(state: Path) -> Iterator[Inspection]:
    seen, team = state.stat(), is_shared(state)
    mode = stat.S_IMODE(seen.st_mode)
    said = f"{state}, {user_name(seen.st_uid)}, group {group_name(seen.st_gid)}, mode {mode:04o}"
    what = f"{said}: {'of a team' if team else 'of one user'}"
    if mode & stat.S_IWOTH:
        yield _found("state directory", "missing", f"{what}; everybody may write to it", f"chmod o-rwx {state}")
    elif team and not mode & stat.S_ISVTX:
        why = "a member could replace what another one wrote (no sticky bit)"
        yield _found("state directory", "missing", f"{what}; {why}", f"chmod 3770 {state}")
    elif mode & stat.S_IWGRP and not team:
        why = "the group may write, and what is made there is not the group's"
        yield _found(
            "state directory", "missing", f"{said}: {why}", f"chmod 3770 {state} (a team), or: chmod 700 {state}"
        )
    else:
        yield _found("state directory", "ok", what)
    if not os.access(state, os.R_OK | os.W_OK | os.X_OK):
        if os.statvfs(state).f_flag & os.ST_RDONLY:
            yield _found("writing there", "missing", "the file system is mounted read-only", "mount it writable")
        else:
            yield _found("writing there", "missing", f"denied; {whose(state)}", "run as its owner, or see docs: a team")
    yield _space(state)


def _space(state: Path) -> Inspection:
    free, inodes = shutil.disk_usage(state).free, os.statvfs(state)
    if free < LEAST_FREE:
        return _found("space", "missing", f"{format_bytes(free)} free", "free some: without a journal nothing is done")
    if inodes.f_files and inodes.f_favail == 0:
        return _found("space", "missing", "no inode is free", "remove files there: without a journal nothing is done")
    return _found("space", "ok", f"{format_bytes(free)} free")


def _files(state: Path) -> Iterator[Inspection]:
    """Files that somebody who works here cannot use, or could read and should not."""
    team, me = is_shared(state), os.geteuid()
    group = state.stat().st_gid
    strange: list[str] = []
    closed: list[str] = []
    for folder, names, files in os.walk(state):
        for name in (*names, *files):
            path = Path(folder, name)
            seen = path.lstat()
            secret = path.suffix == PRIVATE
            if secret and seen.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                closed.append(f"chmod 600 {path}")
            elif not secret and (not _of_team(seen, group) if team else me not in (seen.st_uid, 0)):
                strange.append(str(path))
    if closed:
        said = f"{len(closed)} sealing keys that others may read"
        yield _found("keys", "missing", said, "; ".join(closed[:NAMED]))
    if not strange:
        yield _found("files", "ok", "all of the group" if team else "all of one user")
        return
    named = ", ".join(strange[:NAMED]) + (f" and {len(strange) - NAMED} more" if len(strange) > NAMED else "")
    remedy = (
        f"as root: chgrp -R {group_name(group)} {state}; chmod -R g+rwX {state}; chmod g-rwx {state}/keys/*.key"
        if team
        else f"as root: chown -R {user_name(me).partition(' ')[0]} {state}; or share it with a team"
    )
    yield _found("files", "missing", f"{len(strange)} of other users or not of the group: {named}", remedy)


def _of_team(seen: os.stat_result, group: int) -> bool:
    wanted = stat.S_IRGRP | (stat.S_IXGRP if stat.S_ISDIR(seen.st_mode) else 0)
    return seen.st_gid == group and seen.st_mode & wanted == wanted


def _journals(state: Path) -> Iterator[Inspection]:
    found = audit.verify_listed(state)
    errors = [one for one in found if one.level == "error"]
    notes = [one for one in found if one.level == "note"]
    if keys.public_file(state).exists() and not keys.key_file(state).exists():
        said = f"{keys.key_file(state)} is not here, and sealed the ledger: it can be verified, nothing can be written"
        yield _found("journals", "missing", said, "restore it from a backup, or move the directory aside")
    elif errors:
        more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
        said = f"{errors[0].where}: {errors[0].message}{more}"
        yield _found("journals", "missing", said, "runbook audit verify shows all; nothing is written behind a cut")
    else:
        count = len(ledger.read(state))
        yield _found("journals", "ok", f"ledger of {count} entries, keys and runs agree" if count else "no run yet")
    if notes:
        said = f"{len(notes)} left by a crash: {notes[0].where}: {notes[0].message}"
        yield _found("after a crash", "note", said, "runbook runs says what to go on with")


def _clock(state: Path, now: float) -> Iterator[Inspection]:
    entries = ledger.read(state)
    newest = max((_seconds(entry.at) for entry in entries), default=0.0)
    if newest > now + SLACK:
        when = dt.datetime.fromtimestamp(newest, dt.UTC)
        ahead = format_duration(newest - now)
        said = f"the newest entry of the ledger is of {when:%Y-%m-%d %H:%M:%S} UTC, {ahead} from now"
        remedy = "set the clock (timedatectl, chronyc): limits, approvals and temporary changes go by it"
        yield _found("clock", "missing", said, remedy)
    else:
        when = dt.datetime.fromtimestamp(now, dt.UTC)
        yield _found("clock", "ok", f"{when:%Y-%m-%d %H:%M:%S} UTC, nothing in the journal is newer")


def _seconds(time: str) -> float:
    try:
        return dt.datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0


def _found(name: str, state: InspectedState, said: str, remedy: str = "") -> Inspection:
    return Inspection(area="state", name=name, state=state, said=said, remedy=remedy)
