"""Carries out a change on a host: arms what takes it back, leaves a line in the host's own log, runs the script."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from memrunbook.actions.shared.scripts import LOOK_ONLY, STILL_GOING, WOULD_ACT
from memrunbook.core.action.action import Change, Repeat, Undo
from memrunbook.core.action.care import NOT_BEGUN
from memrunbook.core.errors import Refused
from memrunbook.core.instant import Instant
from memrunbook.core.plan.rules import SWITCH_ON
from memrunbook.core.run.request import Compared, Done, Executed, Failed, Unknown
from memrunbook.core.text import clean
from memrunbook.linux.switch import LOOK, SWITCHED_OFF
from memrunbook.runtime.holding import HoldingRun, arm, disarm
from memrunbook.runtime.marker import marked
from memrunbook.runtime.ports import Output, Session
from memrunbook.runtime.redaction import redact

OUTPUT_LIMIT = 64 << 10
EVIDENCE_LIMIT = 1 << 20
SHOWN = 400
OWN_STATUS = re.compile(r"exit status (\d{1,3})")
LOOK_TIMEOUT = 30.0
NO_LOOK = "an older version recorded it, whose undo cannot only look"
SEEN: Mapping[int, Literal["made", "back", "changed", "gone"]] = {
    WOULD_ACT: "made",
    0: "back",
    3: "gone",
    4: "changed",
}
"""What the exit status of an undo that only looked says; see actions/shared/scripts.py."""
# The witness comes first: a host that dies of the change still says who made it.
WITNESS = """
mrb_line=$1; shift
{ printf '<5>%s\\n' "$mrb_line" >/dev/kmsg; } 2>/dev/null || child logger -t runbook -- "$mrb_line" 2>/dev/null
"""


def execute(session: Session, change: Change, witness: str, at: Instant, holder: HoldingRun) -> Executed:
    """Runs a change's script; what it is armed with first names its `holder`.

    Refused, with nothing done, while changes are switched off on the host; never raises for what else it does.
    """
    if any("\0" in arg for arg in change.args):
        why = "nothing was changed: a parameter holds a NUL byte, which no shell can take"
        return Failed(at, why, untouched=True)
    if change.back_after and change.undo is not None:
        armed = arm(session, change, change.undo, holder)
        _heed(armed)
        if armed.status != 0:
            why = (
                f"nothing was changed: what takes it back after its time could not be set: {_said(redact(armed.text))}"
            )
            return Failed(at, why, untouched=True)
    heed = "" if change.repeat is Repeat.READ else LOOK
    wrapped = f'{heed}{WITNESS}\nmrb_act() {{\n{change.script}\n}}\nmrb_act "$@"'
    limit = EVIDENCE_LIMIT if change.evidence else OUTPUT_LIMIT
    script, args = _marked(wrapped, (witness, *change.args), change, holder)
    output = session.execute(script, args, timeout=change.timeout, limit=limit)
    if heed:
        _heed(output)
    # A script that fails half way may have changed something: its timer stays until an undo has succeeded.
    return outcome(output, at)


def _heed(output: Output) -> None:
    if output.status == SWITCHED_OFF:
        said = clean(redact(output.text).strip())
        raise Refused(f"changes are switched off on this host: {said}", hint=SWITCH_ON)


def take_back(session: Session, change: Change, witness: str, at: Instant, holder: HoldingRun) -> Executed:
    """Runs a change's undo, and stops the timer that would have done it later."""
    undo = change.undo
    if undo is None:
        return Failed(at, "this change cannot be taken back")
    wrapped = f'{WITNESS}\nmrb_act() {{\n{undo.script}\n}}\nmrb_act "$@"'
    script, args = _marked(wrapped, (witness, *undo.args), change, holder)
    output = session.execute(script, args, timeout=change.timeout, limit=OUTPUT_LIMIT)
    if output.status == 0 and change.back_after:
        disarm(session, change, holder)
    return outcome(output, at)


def compare(session: Session, undo: Undo, clock: Callable[[], Instant]) -> Compared:
    """Runs an undo that only looks; one of an older version, which cannot, is not run: unknown."""
    if LOOK_ONLY not in undo.script:
        return Compared(clock(), "unknown", NO_LOOK)
    act = f'mrb_act() {{\n{undo.script}\n}}\nmrb_act "$@"'
    wrapped = f'mrb_look=1\n{act}\nmrb_status=$?\nmrb_look=\nreturn "$mrb_status"'
    output = session.execute(wrapped, undo.args, timeout=LOOK_TIMEOUT, limit=OUTPUT_LIMIT)
    if output.status is None:
        return Compared(clock(), "unknown", f"the host did not say within {LOOK_TIMEOUT:.0f} s")
    said = " ".join(redact(output.text).split())[-SHOWN:]
    return Compared(clock(), SEEN.get(output.status, "unknown"), said)


def _marked(script: str, args: tuple[str, ...], change: Change, holder: HoldingRun) -> tuple[str, tuple[str, ...]]:
    """What only looks leaves no mark: it may be done again at any time."""
    if not holder.record or change.repeat is Repeat.READ:
        return script, args
    return marked(script, args, holder.run, holder.record)


def outcome(output: Output, at: Instant) -> Executed:
    """What an output says of its script: done, failed, or unknown where its end was not seen."""
    text = redact(output.text)
    if unseen := _unseen(output):
        return Unknown(at, unseen, text, output.seconds)
    if output.status == NOT_BEGUN:
        said = "; ".join(clean(part) for part in text.splitlines() if part.strip())[-SHOWN:]
        return Failed(at, f"nothing was changed: {said}", text, output.seconds, untouched=True)
    if output.status == 0:
        return Done(at, text, output.seconds)
    return Failed(at, _why(output), text, output.seconds)


def _unseen(output: Output) -> str:
    """Why the end of a script was not seen; empty where it was."""
    if output.timed_out:
        return f"no answer within {output.seconds:.0f} s"
    if output.truncated and output.status is None:
        return "its output had no end, so it was stopped"
    if output.status is None:
        return "the connection was lost before the command's end was seen"
    return f"the kernel was still at it after {output.seconds:.0f} s" if output.status == STILL_GOING else ""


def _why(output: Output) -> str:
    """The exit status and what was said: that of the program itself, where the script told it in its last line."""
    said = redact(output.text).rstrip()
    above, _, last = said.rpartition("\n")
    own = OWN_STATUS.fullmatch(last)
    status, said = (own[1], above) if own else (str(output.status), said)
    return f"exit status {status}: {_said(said)}"


def _said(text: str) -> str:
    return " ".join(text.split())[-SHOWN:] or "it said nothing"
