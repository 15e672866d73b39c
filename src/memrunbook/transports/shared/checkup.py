"""Looks at what this control node reaches hosts with, for `doctor`: OpenSSH's programs and the ssh agent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from memrunbook.core.text import clean
from memrunbook.runtime.inspection import InspectedState, Inspection
from memrunbook.transports.shared.agents import ANSWER, ask

PROGRAMS = {
    "ssh": "Include, Match, ProxyCommand, host CAs and security keys need it; without it those hosts are not reached",
    "ssh-keygen": "approvals are signed by it (runbook approve)",
    "ssh-add": "the keys of the agent are listed by it (runbook approve)",
}


def inspect_programs(*, approvals: bool) -> Iterator[Inspection]:
    """OpenSSH's programs; those that sign are missing where `approvals` are asked for, and a note elsewhere."""
    for name, what in PROGRAMS.items():
        path = shutil.which(name)
        if path is not None:
            yield Inspection(area="programs", name=name, said=path)
        else:
            needed = approvals and name != "ssh"
            remedy = "install OpenSSH's client programs"
            yield Inspection(
                area="programs",
                name=name,
                state="missing" if needed else "note",
                said=f"not here: {what}",
                remedy=remedy,
            )


def inspect_agent() -> Inspection:
    """Whether the ssh agent answers within its deadline, and how many keys it has."""
    socket = os.environ.get("SSH_AUTH_SOCK", "")
    if not socket:
        return _agent("note", "none (SSH_AUTH_SOCK is not set): keys are read from files")
    found, place = ask(socket, ANSWER), clean(socket)
    if found.state == "answers":
        keys = f"{found.keys} key{'s' * (found.keys != 1)}"
        return _agent("ok" if found.keys else "note", f"{place} answers, with {keys}", "" if found.keys else "ssh-add")
    said = {
        "absent": f"nobody listens at {place}: logins go without it",
        "silent": f"{place} accepts, and did not answer within {ANSWER:.0f} s: logins go without it",
    }.get(found.state, f"{place} accepts and breaks off: logins go without it")
    return _agent("missing", said, "is it locked or hung? start one anew, or leave SSH_AUTH_SOCK out")


def _agent(state: InspectedState, said: str, remedy: str = "") -> Inspection:
    return Inspection(area="agent", name="ssh agent", state=state, said=said, remedy=remedy)
