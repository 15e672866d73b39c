"""Runs a command of the runbook's author on the host: the escape hatch, behind a gate of the risk that it declares."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.actions.shared.programs import command_line, command_name
from memrunbook.core.action.action import IN_ARGUMENTS, Action, Decision, Repeat, Risk
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.core.units import Duration

SUMMARY_LENGTH = 120

# The program's own status may be 3 or 4, which mean something else here.
SCRIPT = """\
act() {
  child "$@" </dev/null && return 0
  printf '%s\\n' "exit status $?" >&2
  return 1
}
act "$@"
"""


EXAMPLE = """\
- id: rotate
  name: Rotate the largest log
  action: run_command
  with:
    command: [logrotate, --force, '${{ parameters.config }}']
    risk: low
    costs: the log begins anew
    timeout: 2m
  verify: {that: memory.available_percent > 15.0, within: 1m}
"""


class RunCommand(Action, frozen=True, kw_only=True):
    """Runs one program with its arguments, never a shell; cannot be undone, and needs a `verify` in the runbook."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.ONCE
    needs: ClassVar[tuple[str, ...]] = ("host",)
    proves_itself: ClassVar[bool] = False
    example: ClassVar[str] = EXAMPLE

    command: Annotated[tuple[str, ...], Meta(min_length=1, description="the program and its arguments, one by one")]
    risk: Annotated[
        Literal["low", "medium", "high"], Meta(description="what may be lost: performance, a moment of service, data")
    ]
    costs: Annotated[str, Meta(description="what users notice, for whoever decides at the gate")] = ""
    timeout: Annotated[Duration, Meta(description="how long it may take")] = Duration(60)

    def decide(self, snapshot: Snapshot) -> Decision:
        """Blocked on Kubernetes nodes and where no process can be started."""
        known = guards.known("host.boot_id")
        blocked = guards.first(snapshot, known, guards.can_fork, guards.NO_KUBERNETES)
        if blocked is not None:
            return blocked
        name = command_name(self.command)
        return self.change(
            summary=f"Run {clean(name, SUMMARY_LENGTH)}",
            target=name,
            command=command_line(self.command),
            identity=guards.boot(snapshot),
            script=SCRIPT,
            args=self.command,
            acts_on=(IN_ARGUMENTS,),
            risk=Risk[self.risk.upper()],
            costs=self.costs,
            timeout=self.timeout,
        )
