"""Runs a command that is meant only to look, and keeps what it prints as evidence."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.actions.shared.programs import command_line, command_name, only_reads
from memrunbook.core.action.action import IN_ARGUMENTS, Action, Decision, Repeat, Risk
from memrunbook.core.action.moved import Moves
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.core.units import Duration

SUMMARY_LENGTH = 120

SCRIPT = """\
act() { # a check may well end with another status than 0; only a program that cannot be run is a failure
  child "$@" </dev/null
  check_status=$?
  printf '%s\\n' "exit status $check_status"
  case $check_status in 126 | 127) return 1 ;; esac
}
act "$@"
"""


class RunCheckCommand(Action, frozen=True, kw_only=True):
    """Runs one program to look at the host; all but a short list of harmless commands is asked for like a low risk."""

    max_risk: ClassVar[Risk] = Risk.LOW
    repeat: ClassVar[Repeat] = Repeat.READ
    moves: ClassVar[Moves | None] = {}

    command: Annotated[tuple[str, ...], Meta(min_length=1, description="the program and its arguments, one by one")]
    timeout: Annotated[Duration, Meta(description="how long it may take")] = Duration(10)

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked where no process can be started."""
        name = command_name(self.command)
        return guards.can_fork(snapshot) or self.change(
            summary=f"Look with {clean(name, SUMMARY_LENGTH)}",
            target=name,
            command=command_line(self.command),
            script=SCRIPT,
            args=self.command,
            acts_on=(IN_ARGUMENTS,),
            risk=Risk.NONE if only_reads(self.command) else Risk.LOW,
            timeout=self.timeout,
            evidence=True,
        )
