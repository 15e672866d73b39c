"""Carries out a change on a host: arms what takes it back, leaves a line in the host's own log, runs the script."""

from __future__ import annotations

from memrunbook.actions.shared.scripts import STILL_GOING
from memrunbook.core.action.action import Change
from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Done, Executed, Failed, Unknown
from memrunbook.runtime.ports import Output, Session
from memrunbook.runtime.redaction import redact

OUTPUT_LIMIT = 64 << 10
EVIDENCE_LIMIT = 1 << 20
SHOWN = 400
TIMER_TIMEOUT = 20.0
# An earlier try of the same change may have left its timer: two of one name cannot be.
# systemd expands ${NAME} in a command line; $$ is its way to write a dollar.
ARM = """
mrb_after=$1 mrb_unit=$2 mrb_script=$3; shift 3
child systemctl --no-ask-password stop -- "$mrb_unit.timer" >/dev/null 2>&1
child systemd-run --quiet --collect --on-active="$mrb_after" --timer-property=AccuracySec=1s --unit="$mrb_unit" \\
  -- /bin/sh -c "$mrb_script" runbook "$@"
"""
DISARM = 'child systemctl --no-ask-password stop -- "$1.timer"'
# The witness comes first: a host that dies of the change still says who made it.
WITNESS = """
mrb_line=$1; shift
{ printf '<5>%s\\n' "$mrb_line" >/dev/kmsg; } 2>/dev/null || child logger -t runbook -- "$mrb_line" 2>/dev/null
"""


def execute(session: Session, change: Change, witness: str, at: Instant, timer: str) -> Executed:
    """Runs a change's script; never raises for what the host does. `timer` names the unit that takes it back."""
    if any("\0" in arg for arg in change.args):
        return Failed(at, "nothing was changed: a parameter holds a NUL byte, which no shell can take")
    if change.back_after and change.undo is not None:
        script = change.undo.script.replace("$", "$$")
        arguments = (f"{change.back_after:.0f}s", timer, script, *(arg.replace("$", "$$") for arg in change.undo.args))
        armed = session.execute(ARM, arguments, timeout=TIMER_TIMEOUT, limit=OUTPUT_LIMIT)
        if armed.status != 0:
            return Failed(at, f"nothing was changed: the timer that takes it back could not be set: {_said(armed)}")
    wrapped = f'{WITNESS}\nmrb_act() {{\n{change.script}\n}}\nmrb_act "$@"'
    limit = EVIDENCE_LIMIT if change.evidence else OUTPUT_LIMIT
    output = session.execute(wrapped, (witness, *change.args), timeout=change.timeout, limit=limit)
    # A script that fails half way may have changed something: its timer stays until an undo has succeeded.
    return outcome(output, at)


def take_back(session: Session, change: Change, witness: str, at: Instant, timer: str) -> Executed:
    """Runs a change's undo, and stops the timer that would have done it later."""
    undo = change.undo
    if undo is None:
        return Failed(at, "this change cannot be taken back")
    wrapped = f'{WITNESS}\nmrb_act() {{\n{undo.script}\n}}\nmrb_act "$@"'
    output = session.execute(wrapped, (witness, *undo.args), timeout=change.timeout, limit=OUTPUT_LIMIT)
    if output.status == 0 and change.back_after:
        session.execute(DISARM, (timer,), timeout=TIMER_TIMEOUT)
    return outcome(output, at)


def outcome(output: Output, at: Instant) -> Executed:
    """What an output says of its script: done, failed, or unknown where its end was not seen."""
    text = redact(output.text)
    if output.timed_out:
        return Unknown(at, f"no answer within {output.seconds:.0f} s", text, output.seconds)
    if output.truncated and output.status is None:
        return Unknown(at, "its output had no end, so it was stopped", text, output.seconds)
    if output.status is None:
        return Unknown(at, "the connection was lost before the command's end was seen", text, output.seconds)
    if output.status == STILL_GOING:
        return Unknown(at, f"the kernel was still at it after {output.seconds:.0f} s", text, output.seconds)
    if output.status == 0:
        return Done(at, text, output.seconds)
    return Failed(at, f"exit status {output.status}: {_said(output)}", text, output.seconds)


def _said(output: Output) -> str:
    return " ".join(redact(output.text).split())[-SHOWN:] or "it said nothing"
