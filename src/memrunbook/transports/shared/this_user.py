"""Who runs this process: by its uid, never by what the environment says of it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

LOGIN = Path("/proc/self/loginuid")
NEVER_LOGGED_IN = 0xFFFFFFFF
ROOT = 0


def this_user() -> str:
    """The user's name; a uid that has none here (as in containers) is told as one."""
    return named_user() or f"uid {os.getuid()}"


def named_user() -> str:
    """The user's name, empty for a uid that has none here."""
    return _name(os.getuid())


def login_user() -> str:
    """Who logged in to the session of this process, whoever it runs as by now; empty where that is not known.

    The kernel keeps it over su and sudo, and only root can write another one.
    """
    try:
        uid = int(LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):  # a kernel without audit
        return ""
    return "" if uid == NEVER_LOGGED_IN else _name(uid) or f"uid {uid}"


def sudo_user() -> str:
    """Who used sudo, as sudo says; believed of root alone, since anybody can set a variable."""
    return os.environ.get("SUDO_USER", "") if os.getuid() == ROOT else ""


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
