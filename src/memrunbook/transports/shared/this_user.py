"""Who runs this process: by its uid, never by what the environment says of it."""

from __future__ import annotations

import os
import pwd


def this_user() -> str:
    """The user's name; a uid that has none here (as in containers) is told as one."""
    return named_user() or f"uid {os.getuid()}"


def named_user() -> str:
    """The user's name, empty for a uid that has none here."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
