"""What takes a change for a while back though nobody of ours is left: a timer of systemd, else a sleeping shell.

A mark says which of them ends what is held (linux/hold.py). An earlier one of the same state is stopped, and were it
still to come, it would read another name there and do nothing. Where the mark cannot be made, nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from memrunbook.core.action.action import Change, Undo
from memrunbook.linux.hold import Mark, lines, place
from memrunbook.linux.switch import LOOK
from memrunbook.runtime.ports import Output, Session

TIMEOUT = 20.0
NO_MANAGER = 9
"""The exit status of `TIMER` where no systemd runs the host, or it does not answer."""

# A sleeper is known by its process id and its start: ids are given again.
STOP = """
mrb_started() { # PID: in mrb_ticks when it was started
  mrb_ticks=
  { IFS= read -r mrb_stat; } 2>/dev/null <"/proc/$1/stat" || return 1
  set -- ${mrb_stat##*) }
  mrb_ticks=${20}
}
mrb_read() { # MARK: in mrb_held, mrb_sleeper and mrb_since_tick what ends the state that is held now
  mrb_held= mrb_sleeper= mrb_since_tick=
  { while read -r mrb_key mrb_value mrb_more; do
      case $mrb_key in
        timer) mrb_held=$mrb_value ;;
        sleeper) mrb_sleeper=$mrb_value mrb_since_tick=$mrb_more ;;
      esac
    done; } 2>/dev/null <"$1"
}
mrb_stop() { # TIMER [SLEEPER STARTED]
  if [ -d /run/systemd/system ]; then
    child systemctl --no-ask-password stop -- "$1.timer" >/dev/null 2>&1
  fi
  [ -n "${2-}" ] && mrb_started "$2" && [ "$mrb_ticks" = "${3-}" ] || return 0
  kill -s TERM -- "-$2" 2>/dev/null || kill -s TERM "$2" 2>/dev/null
}
"""
# Of two changes of one state that overlap the second would take the first one's value for the old one, and keep it. A
# freeze has no value: its undo thaws.
ALREADY = """
mrb_already() { # prints who holds the state of mrb_lines by another change; 1 where nobody does
  mrb_nl='
'
  for mrb_file in "${mrb_mark%/*}"/*; do
    case $mrb_file in "$mrb_mark" | *.new) continue ;; esac
    [ -r "$mrb_file" ] && [ -f "$mrb_file" ] || continue
    mrb_action= mrb_target= mrb_what= mrb_run=
    while read -r mrb_key mrb_value; do
      case $mrb_key in
        action) mrb_action=$mrb_value ;;
        target) mrb_target=$mrb_value ;;
        what) mrb_what=$mrb_value ;;
        run) mrb_run=$mrb_value ;;
      esac
    done <"$mrb_file"
    [ "$mrb_action" != freeze_unit ] || continue
    case $mrb_nl$mrb_lines$mrb_nl in *"${mrb_nl}action $mrb_action${mrb_nl}target $mrb_target$mrb_nl"*)
      printf '%s\\n' "$mrb_target is changed for a while by run $mrb_run ($mrb_what): runbook undo $mrb_run"
      return 0 ;;
    esac
  done
  return 1
}
"""
BEGIN = (
    STOP
    + ALREADY
    + """
mrb_by= mrb_pid= mrb_began=
mrb_after=$1 mrb_unit=$2 mrb_script=$3 mrb_mark=$4 mrb_lines=$5; shift 5
mrb_since= mrb_rest=
{ read -r mrb_since mrb_rest; } 2>/dev/null </proc/uptime
! mrb_already || return 1
mrb_read "$mrb_mark"
mrb_old=$mrb_held mrb_old_sleeper=$mrb_sleeper mrb_old_tick=$mrb_since_tick
[ -d "${mrb_mark%/*}" ] || child mkdir -m 755 -- "${mrb_mark%/*}" || return 1
"""
)
MARK = """
( umask 022; printf '%s\\n' "$mrb_lines" "since ${mrb_since:-0}" ${mrb_by:+"$mrb_by"} >"$mrb_mark.new" ) &&
  child mv -f -- "$mrb_mark.new" "$mrb_mark" || { mrb_stop "$mrb_unit" "$mrb_pid" "$mrb_began"; return 1; }
case $mrb_old in
  "$mrb_unit") mrb_old=memrunbook-none ;; # the timer of this name is the new one
esac
[ -z "$mrb_old" ] || mrb_stop "$mrb_old" "$mrb_old_sleeper" "$mrb_old_tick"
return 0
"""
# An earlier try of the same change may have left its timer: two of one name cannot be.
# systemd expands ${NAME} in a command line; $$ is its way to write a dollar.
TIMER = (
    """
[ -d /run/systemd/system ] || return 9
"""
    + LOOK
    + BEGIN
    + """
mrb_stop "$mrb_unit"
mrb_said=$(child systemd-run --quiet --collect --on-active="${mrb_after}s" --timer-property=AccuracySec=1s \\
  --unit="$mrb_unit" -- /bin/sh -c "$mrb_script" runbook "$@" 2>&1) || {
  printf '%s\\n' "$mrb_said"
  case $mrb_said in
    *'ailed to connect to '*'bus'* | *'systemd-run: not found'* | *'systemd-run: No such file'*) return 9 ;;
  esac
  return 1
}
"""
    + MARK
)
# In a session of its own, so that neither the end of the login nor its hang-up ends it; with the login's own
# oom_score_adj. Its time is that of /proc/uptime: setting the clock changes nothing. It sleeps once for all of the
# time, as a host that is short of memory may not be able to start a `sleep` later.
SLEEPER = (
    LOOK
    + BEGIN
    + """
command -v sleep >/dev/null 2>&1 || { printf '%s\\n' 'there is no sleep on this host'; return 1; }
[ -n "$mrb_since" ] || { printf '%s\\n' '/proc/uptime cannot be read'; return 1; }
mrb_lead=
command -v setsid >/dev/null 2>&1 && mrb_lead=setsid
{
  { [ -z "${shell_adj-}" ] || printf '%s\\n' "$shell_adj" >/proc/self/oom_score_adj; } 2>/dev/null
  trap '' HUP
  exec $mrb_lead sh -c "$mrb_script" runbook "$((${mrb_since%%.*} + 1 + mrb_after))" "$@"
} </dev/null >/dev/null 2>&1 &
mrb_pid=$!
mrb_started "$mrb_pid" || { printf '%s\\n' 'what was to take it back did not start'; return 1; }
mrb_began=$mrb_ticks
mrb_by="sleeper $mrb_pid $mrb_began"
"""
    + MARK
)
ASLEEP = """
mrb_due=$1 mrb_tries=0; shift
while :; do
  mrb_now= mrb_rest=
  { read -r mrb_now mrb_rest; } </proc/uptime
  [ -n "$mrb_now" ] || exit 1
  mrb_left=$((mrb_due - ${mrb_now%%.*}))
  [ "$mrb_left" -gt 0 ] || break
  sleep "$mrb_left" || mrb_tries=$((mrb_tries + 1))
  [ "$mrb_tries" -lt 100 ] || exit 1
done
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
DISARM = (
    STOP
    + """
mrb_read "$2"
if [ "$mrb_held" = "$1" ]; then
  mrb_stop "$1" "$mrb_sleeper" "$mrb_since_tick"
  child rm -f -- "$2"
else
  mrb_stop "$1"
fi
"""
)


@dataclass(frozen=True)
class HoldingRun:
    """Who makes changes: the run and the runbook, by which what is held for a while is known on the host.

    `record` is the hash of the question on disk, by which the command's start and end are marked; empty for no mark.
    """

    run: str
    runbook: str = ""
    record: str = ""

    def mark(self, change: Change) -> Mark:
        """What a change for a while leaves on the host; what ends it is named by run and change."""
        return Mark(
            timer=f"memrunbook-{self.run}-{change.digest[:8]}".lower(),
            action=change.action,
            target=change.target,
            what=change.summary,
            run=self.run,
            runbook=self.runbook,
            seconds=change.back_after,
        )


def arm(session: Session, change: Change, undo: Undo, holder: HoldingRun) -> Output:
    """Sets what takes the change back after its time; where its status is not 0 there is none, and what was said."""
    mark, file = holder.mark(change), place(change.action, change.args)
    back = f'{WHEN_DUE}mrb_undo() {{\n{undo.script}\n}}\nmrb_undo "$@"\nmrb_status=$?{UNMARK}'
    words, due = (f"{change.back_after:.0f}", mark.timer), (file, mark.timer, *undo.args)
    told = (file, "\n".join(lines(mark)))
    timer = (*words, back.replace("$", "$$"), *told, *(arg.replace("$", "$$") for arg in due))
    armed = session.execute(TIMER, timer, timeout=TIMEOUT)
    if armed.status != NO_MANAGER:
        return armed
    return session.execute(SLEEPER, (*words, ASLEEP + back, *told, *due), timeout=TIMEOUT)


def disarm(session: Session, change: Change, holder: HoldingRun) -> None:
    """Stops what would have taken the change back, and removes its mark; that of another hold stays."""
    session.execute(DISARM, (holder.mark(change).timer, place(change.action, change.args)), timeout=TIMEOUT)
