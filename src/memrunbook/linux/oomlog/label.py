"""How people call what was killed: a unit, a container, or what runs inside a user's own manager."""

from __future__ import annotations

import re

from memrunbook.linux.attribution import shown_name
from memrunbook.linux.oomlog import explain
from memrunbook.linux.oomlog.event import LogEvent

_OF_USER = re.compile(r"/user\.slice/user-(\d{1,10})\.slice/(?!user@\d+\.service$).")


def whose(event: LogEvent) -> str:
    """The container, else the unit; a user's scope or service by its own name, never as that user's whole manager.

    Empty where the log names no group.
    """
    path, owner = event.task_memcg or "", explain.owner(event)
    user = _OF_USER.match(path)
    if user and not owner.container:
        return f"{shown_name(path)} of user {user[1]}"
    return owner.container or owner.unit or path
