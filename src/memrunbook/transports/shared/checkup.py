"""Looks at what this control node reaches hosts with, for `doctor`: OpenSSH's programs and the ssh agent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from memrunbook.core.text import clean
from memrunbook.runtime.inspection import InspectedState, Inspection
from memrunbook.transports.shared.lean import load_paramiko

PROGRAMS = {
    "ssh": "the engine has an SSH client of its own; ssh is what you would compare it with",
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
    load_paramiko()
    from paramiko import SSHException

    from memrunbook.transports.shared.ssh_keys import ANSWER, BoundedAgent

    if not os.path.exists(socket):  # noqa: PTH110  paramiko takes the text as well
        return _agent("missing", f"{clean(socket)} is not there", "start one, or leave SSH_AUTH_SOCK out")
    try:
        agent = BoundedAgent()
    except TimeoutError:
        said = f"{clean(socket)} accepts, and did not answer within {ANSWER:.0f} s: every login would fail"
        return _agent("missing", said, "is it locked or hung? SSH_AUTH_SOCK= before the command goes without it")
    except (SSHException, OSError) as error:
        return _agent("missing", f"{clean(socket)} does not answer: {clean(str(error))}", "start one anew")
    try:
        count = len(agent.get_keys())
    finally:
        agent.close()
    keys = f"{count} key{'s' * (count != 1)}"
    return _agent("ok" if count else "note", f"{clean(socket)} answers, with {keys}", "" if count else "ssh-add")


def _agent(state: InspectedState, said: str, remedy: str = "") -> Inspection:
    return Inspection(area="agent", name="ssh agent", state=state, said=said, remedy=remedy)
