"""Carries out a change on a host: arms what takes it back, leaves a line in the host's own log, runs the script."""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.actions.shared.scripts import STILL_GOING
from memrunbook.core.action.action import Change, Repeat, Undo
from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Done, Executed, Failed, Unknown
from memrunbook.linux.hold import Mark, lines, place
from memrunbook.runtime.marker import marked
from memrunbook.runtime.ports import Output, Session
from memrunbook.runtime.redaction import redact

OUTPUT_LIMIT = 64 << 10
EVIDENCE_LIMIT = 1 << 20
SHOWN = 400
TIMER_TIMEOUT = 20.0
# An earlier try of the same change may have left its timer: two of one name cannot be.
# The mark says which timer ends what is held: an earlier one of the same state is stopped, and were it still to come,
# it would read another name there and do nothing. Where the folder cannot be made, nothing is changed.
# systemd expands ${NAME} in a command line; $$ is its way to write a dollar.
ARM = """
mrb_after=$1 mrb_unit=$2 mrb_script=$3 mrb_mark=$4 mrb_lines=$5; shift 5
mrb_since= mrb_rest= mrb_word= mrb_old=
{ read -r mrb_since mrb_rest; } 2>/dev/null </proc/uptime
{ read -r mrb_word mrb_old; } 2>/dev/null <"$mrb_mark"
[ -d "${mrb_mark%/*}" ] || child mkdir -m 755 -- "${mrb_mark%/*}" || return 1
mrb_stop() { child systemctl --no-ask-password stop -- "$1.timer" >/dev/null 2>&1; }
mrb_stop "$mrb_unit"
child systemd-run --quiet --collect --on-active="$mrb_after" --timer-property=AccuracySec=1s --unit="$mrb_unit" \\
  -- /bin/sh -c "$mrb_script" runbook "$@" || return 1
( umask 022; printf '%s\\n' "$mrb_lines" "since ${mrb_since:-0}" >"$mrb_mark.new" ) &&
  child mv -f -- "$mrb_mark.new" "$mrb_mark" || { mrb_stop "$mrb_unit"; return 1; }
case $mrb_old in "$mrb_unit") ;; memrunbook-*) mrb_stop "$mrb_old" ;; esac
return 0
"""
# Runs when the time is over, by `sh -c`: only for the hold that the mark names. A state that is gone, or not ours any
# more (3, 4), is held no longer; one that could not be taken back stays marked.
WHEN_DUE = """
mrb_mark=$1 mrb_unit=$2; shift 2
mrb_word=timer mrb_held=$mrb_unit
{ read -r mrb_word mrb_held; } 2>/dev/null <"$mrb_mark"
[ "$mrb_held" = "$mrb_unit" ] || exit 0
"""
UNMARK = """
case $mrb_status in 0 | 3 | 4) rm -f -- "$mrb_mark" ;; esac
exit "$mrb_status"
"""
DISARM = """
child systemctl --no-ask-password stop -- "$1.timer"
mrb_word= mrb_held=
{ read -r mrb_word mrb_held; } 2>/dev/null <"$2"
[ "$mrb_held" != "$1" ] || child rm -f -- "$2"
"""
# The witness comes first: a host that dies of the change still says who made it.
WITNESS = """
mrb_line=$1; shift
{ printf '<5>%s\\n' "$mrb_line" >/dev/kmsg; } 2>/dev/null || child logger -t runbook -- "$mrb_line" 2>/dev/null
"""


@dataclass(frozen=True)
class HoldingRun:
    """Who makes changes: the run and the runbook, by which what is held for a while is known on the host.

    `record` is the hash of the question on disk, by which the command's start and end are marked; empty for no mark.
    """

    run: str
    runbook: str = ""
    record: str = ""

    def mark(self, change: Change) -> Mark:
        """What a change for a while leaves on the host; its timer is named by run and change."""
        return Mark(
            timer=f"memrunbook-{self.run}-{change.digest[:8]}".lower(),
            action=change.action,
            target=change.target,
            what=change.summary,
            run=self.run,
            runbook=self.runbook,
            seconds=change.back_after,
        )


def execute(session: Session, change: Change, witness: str, at: Instant, holder: HoldingRun) -> Executed:
    """Runs a change's script; never raises for what the host does. What it is armed with first names its `holder`."""
    if any("\0" in arg for arg in change.args):
        return Failed(at, "nothing was changed: a parameter holds a NUL byte, which no shell can take")
    if change.back_after and change.undo is not None:
        armed = session.execute(ARM, _armed(change, change.undo, holder), timeout=TIMER_TIMEOUT, limit=OUTPUT_LIMIT)
        if armed.status != 0:
            return Failed(at, f"nothing was changed: the timer that takes it back could not be set: {_said(armed)}")
    wrapped = f'{WITNESS}\nmrb_act() {{\n{change.script}\n}}\nmrb_act "$@"'
    limit = EVIDENCE_LIMIT if change.evidence else OUTPUT_LIMIT
    script, args = _marked(wrapped, (witness, *change.args), change, holder)
    output = session.execute(script, args, timeout=change.timeout, limit=limit)
    # A script that fails half way may have changed something: its timer stays until an undo has succeeded.
    return outcome(output, at)


def _armed(change: Change, undo: Undo, holder: HoldingRun) -> tuple[str, ...]:
    """What `ARM` is given: time, timer, script, the mark and its lines, and what the script is given when it is due."""
    mark, file = holder.mark(change), place(change.action, change.args)
    script = f'{WHEN_DUE}mrb_undo() {{\n{undo.script}\n}}\nmrb_undo "$@"\nmrb_status=$?{UNMARK}'
    due = [arg.replace("$", "$$") for arg in (script, file, mark.timer, *undo.args)]
    return (f"{change.back_after:.0f}s", mark.timer, due[0], file, "\n".join(lines(mark)), *due[1:])


def take_back(session: Session, change: Change, witness: str, at: Instant, holder: HoldingRun) -> Executed:
    """Runs a change's undo, and stops the timer that would have done it later."""
    undo = change.undo
    if undo is None:
        return Failed(at, "this change cannot be taken back")
    wrapped = f'{WITNESS}\nmrb_act() {{\n{undo.script}\n}}\nmrb_act "$@"'
    script, args = _marked(wrapped, (witness, *undo.args), change, holder)
    output = session.execute(script, args, timeout=change.timeout, limit=OUTPUT_LIMIT)
    if output.status == 0 and change.back_after:
        timer = holder.mark(change).timer
        session.execute(DISARM, (timer, place(change.action, change.args)), timeout=TIMER_TIMEOUT)
    return outcome(output, at)


def _marked(script: str, args: tuple[str, ...], change: Change, holder: HoldingRun) -> tuple[str, tuple[str, ...]]:
    """What only looks leaves no mark: it may be done again at any time."""
    if not holder.record or change.repeat is Repeat.READ:
        return script, args
    return marked(script, args, holder.run, holder.record)


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
