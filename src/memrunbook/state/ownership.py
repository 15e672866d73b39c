"""Whose a file or directory is, in words; and what makes a directory one of a team."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

TEAM = stat.S_ISGID | stat.S_IRWXG
"""Of a team is a directory whose group may do all in it, and hands itself on to what is made there (setgid)."""


def is_shared(folder: Path) -> bool:
    """True for a directory of a team: what is made in it is its group's too, whatever the umask."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return mode & TEAM == TEAM


def member(state: Path) -> str:
    """What stands in the names of the files that each member of a team has alone; empty where there is no team."""
    return f"-{os.geteuid()}" if is_shared(state) else ""


def user_name(uid: int) -> str:
    """A user as people know it, as in: ada (uid 1001)."""
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def group_name(gid: int) -> str:
    """A group as people know it."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return f"gid {gid}"


def whose(path: Path) -> str:
    """Owner, group and mode of a path, or of the nearest directory above it that can be looked at."""
    for one in (path, *path.parents):
        try:
            seen = one.stat()
        except OSError:
            continue
        what = "it" if one == path else str(one)
        owner, group = user_name(seen.st_uid), group_name(seen.st_gid)
        mode = f"{stat.S_IMODE(seen.st_mode):04o}"
        return f"{what} belongs to {owner}, group {group}, mode {mode}; this is {user_name(os.geteuid())}"
    return ""
