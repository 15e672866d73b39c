"""One run per host at a time: a lock on the host itself, across users and control nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection

from memrunbook.core.errors import Refused, SessionLost
from memrunbook.core.run.event import LockBroken
from memrunbook.core.text import clean
from memrunbook.runtime.marker import MARKS, PROCESS, WORKING
from memrunbook.runtime.ports import Output, Session

# Where the lock stands: /run is gone after a reboot, and so is the lock. The folder of a user must be the user's own.
PLACE = (
    PROCESS
    + MARKS
    + """
mrb_uid=${shell_user:-$(child id -u)}
mrb_lock=/run/memrunbook.lock
if [ "$mrb_uid" != 0 ]; then
  if [ -w "/run/user/$mrb_uid" ]; then mrb_lock=/run/user/$mrb_uid/memrunbook.lock
  else
    mrb_lock=${TMPDIR:-/tmp}/memrunbook-$mrb_uid
    [ -d "$mrb_lock" ] || child mkdir -m 700 "$mrb_lock"
    if [ ! -O "$mrb_lock" ] || [ -L "$mrb_lock" ]; then printf 'not ours: %s\\n' "$mrb_lock"; return 6; fi
    mrb_lock=$mrb_lock/lock
  fi
fi
"""
)
# Who removes a lock does so in its turn, or of two that judged the same stale lock the second would remove the first's.
# A turn whose shell is gone is nobody's.
TURN = """
mrb_turn() {
  for mrb_try in 1 2; do
    child mkdir "$mrb_lock.turn" 2>/dev/null && { printf '%s %s\n' "$$" "$mrb_started" >"$mrb_lock.turn/by"; return 0; }
    { read -r mrb_by mrb_since <"$mrb_lock.turn/by"; } 2>/dev/null || return 1
    mrb_mine=$mrb_started
    mrb_start "${mrb_by:-none}" 2>/dev/null && [ "$mrb_started" = "$mrb_since" ] && { mrb_started=$mrb_mine; return 1; }
    mrb_started=$mrb_mine
    child rm -rf -- "$mrb_lock.turn"
  done
  return 1
}
"""
# The lock is there: so is the place where each command of the run will be marked. Of a run that has begun some it is
# never made anew: who looks for their marks must find out that they are gone.
OPEN = '[ "$2" = begun ] || mrb_place "${1%% *}" && printf "run %s\\n" "${1%% *}" 2>/dev/null >>"$mrb_marks"; return 0'
# Of the commands of a run only the last may still go on. In mrb_who what is at work of it.
BUSY = """
mrb_busy() { # RUN
  mrb_place "$1" && [ -f "$mrb_marks" ] || return 1
  mrb_last=
  while read -r mrb_word mrb_record mrb_first mrb_second mrb_third; do
    case $mrb_word in
      begun) mrb_last="$mrb_first $mrb_second ${mrb_third:-0}" ;;
      ended) mrb_last= ;;
    esac
  done <"$mrb_marks"
  [ -n "$mrb_last" ] && mrb_working $mrb_last
}
mrb_ended() { # PID STARTED: ends the shell, and sees that it is gone
  kill -KILL "$1" 2>/dev/null || return 1
  for mrb_try in 1 2 3 4 5; do
    mrb_start "$1" 2>/dev/null && [ "$mrb_started" = "$2" ] || return 0
    child sleep 1
  done
  return 1
}
"""
TAKE = (
    PLACE
    + TURN
    + WORKING
    + BUSY
    + f"mrb_opened() {{ {OPEN}; }}"
    + """
mrb_start $$ || mrb_started=0
set -C; printf '%s\\n%s %s\\n' "$1" "$$" "$mrb_started" 2>/dev/null >"$mrb_lock"; mrb_status=$?; set +C
[ $mrb_status = 0 ] && { mrb_opened "$1" "$3"; return 0; }
[ -e "$mrb_lock" ] || return 7
{ IFS= read -r mrb_owner; read -r mrb_pid mrb_then; } <"$mrb_lock"
mrb_state=stale
if mrb_start "${mrb_pid:-none}" 2>/dev/null && [ "$mrb_started" = "$mrb_then" ]; then mrb_state=held; fi
# Its shell is ended first: a run whose lock was taken over must not go on. A run that goes on takes its own lock again.
# While a command of it is at work nobody takes it: the two would work at once, and how the first ended would be lost.
mrb_take=no
[ $mrb_state = stale ] && case ${mrb_owner%% *} in "${1%% *}"|"${4:-no run}") mrb_take=yes ;; esac
case $2:${mrb_owner%% *} in break:* | "own:${1%% *}") mrb_take=yes ;; esac
if [ $mrb_state = stale ] || [ $mrb_take = yes ]; then
  if mrb_busy "${mrb_owner%% *}"; then mrb_take=no mrb_state=at-work; fi
fi
mrb_start $$ || mrb_started=0
if [ $mrb_take = yes ] && mrb_turn; then
  mrb_was="$mrb_owner $mrb_pid $mrb_then"
  { { IFS= read -r mrb_owner; read -r mrb_pid mrb_then; } <"$mrb_lock"; } 2>/dev/null
  if [ "$mrb_owner $mrb_pid $mrb_then" = "$mrb_was" ] &&
    { [ $mrb_state = stale ] || mrb_ended "$mrb_pid" "$mrb_then"; } &&
    # A shell that was not at work a moment ago may have begun something since.
    ! mrb_busy "${mrb_owner%% *}"; then
    mrb_start $$ || mrb_started=0
    child rm -f -- "$mrb_lock"
    set -C; printf '%s\\n%s %s\\n' "$1" "$$" "$mrb_started" 2>/dev/null >"$mrb_lock"; set +C
    { IFS= read -r mrb_owner <"$mrb_lock"; } 2>/dev/null
  elif mrb_busy "${mrb_owner%% *}"; then mrb_state=at-work
  else mrb_state=held
  fi
  child rm -rf -- "$mrb_lock.turn"
  [ "$mrb_owner" = "$1" ] && { printf '%s %s\\n' "$mrb_state" "${mrb_was% * *}"; mrb_opened "$1" "$3"; return 0; }
fi
if [ $mrb_state = at-work ]; then mrb_named "$mrb_who"; mrb_pid="$mrb_who${mrb_name:+, $mrb_name}"; fi
printf '%s %s (pid %s)\\n' "$mrb_state" "$mrb_owner" "${mrb_pid:-unknown}"; return 5
"""
)
GIVE = (
    PLACE
    + TURN
    + """
mrb_ours() { { IFS= read -r mrb_owner <"$mrb_lock"; } 2>/dev/null && [ "$mrb_owner" = "$1" ]; }
mrb_ours "$1" || return 0
mrb_start $$ || mrb_started=0
mrb_turn || [ ! -d "$mrb_lock.turn" ] || { child sleep 1; mrb_turn; } || return 8
mrb_ours "$1" || { child rm -rf -- "$mrb_lock.turn"; return 0; }
mrb_marks=
[ "$2" != settled ] || mrb_place "${1%% *}" || mrb_marks=
child rm -rf -- "$mrb_lock" "$mrb_lock.turn" ${mrb_marks:+"$mrb_marks"}
"""
)
HELD, NOT_OURS = 5, 6


Told = Callable[[str], str]


def nothing_known(_run: str) -> str:
    """Of that run nothing is known here."""
    return ""


def take(  # noqa: PLR0913  what is known of the run
    session: Session,
    owner: str,
    *,
    force: bool,
    told: Told = nothing_known,
    begun: bool = False,
    after: str = "",
    abandoned: Collection[str] = (),
    elsewhere: bool = False,
) -> LockBroken | None:
    """Takes the lock; Refused with its owner where somebody else has it. `owner` is one line: run and actor.

    A stale lock of the same run is its own, and so is one of the run `after`, which this one takes back. `told` says of
    a run what the journal here knows of its step in flight. `begun`: the run goes on, and has begun commands here
    before. A stale lock of a run in `abandoned`, which left nothing open, is in nobody's way. `elsewhere`: a shell of
    this very run that is idle and holds the lock is another control node's, which has lost the run, and is ended.
    Whose lock was taken over, where it was another run's.
    """
    mode = "break" if force else "own" if elsewhere else ""
    arguments = (owner, mode, "begun" if begun else "", after)
    output = session.execute(TAKE, arguments, timeout=15.0)
    state, _, by = output.text.strip().partition(" ")
    if output.status == HELD and state == "stale" and by.partition(" ")[0] in abandoned:
        output = session.execute(TAKE, (*arguments[:3], by.partition(" ")[0]), timeout=15.0)
    if output.status == 0:
        shell, _, former = output.text.strip().partition(" ")
        ours = not former or former.partition(" ")[0] == owner.partition(" ")[0]
        return None if ours else LockBroken(clean(former), "killed" if shell == "held" else "stale")
    if output.timed_out:
        raise SessionLost("the host did not answer while it was being locked; the lock may be held")
    if output.status is None:
        raise SessionLost("the connection was lost while the host was being locked; the lock may be held")
    raise _refused(output, told)


def _refused(output: Output, told: Told) -> Refused:
    """Who has the lock, and what to do."""
    state, _, by = output.text.strip().partition(" ")
    known = told(by.partition(" ")[0])
    flight = f"; {known}" if known else ""
    if output.status == HELD and state == "stale":
        look = f"runbook resume {clean(by.partition(' ')[0])} looks at it and goes on" if known else LOOK_FIRST
        return Refused(
            f"an earlier run left its lock on the host, and its shell is gone: {clean(by)}{flight}",
            hint=f"{look}; --break-lock takes the lock and nothing else",
        )
    if output.status == HELD and state == "at-work":
        run = clean(by.partition(" ")[0])
        then = f"then runbook resume {run} says how" if known else "then try again"
        return Refused(
            f"a command of an earlier run is still at work on the host: {clean(by)}{flight}",
            hint=f"wait until it has ended, {then}; a process that hangs is ended on the host by hand. "
            "--break-lock waits for it too: nothing is done twice",
            passes=True,
        )
    if output.status == HELD:
        return Refused(
            f"another run is at work on the host: {clean(by)}{flight}",
            hint=f"{CUT_OFF if known else AT_WORK} --break-lock ends its shell on the host and takes the lock over",
            passes=True,
        )
    return Refused(f"the host cannot be locked: {clean(output.text)}", hint="is /run writable on the host?")


AT_WORK = "wait for it; if it is dead,"
CUT_OFF = "its engine is gone and its shell lives on: runbook resume waits for that and looks;"
LOOK_FIRST = "look at that run with: runbook runs"


def give(session: Session, owner: str, *, settled: bool = False) -> bool:
    """Gives the lock back; one that is not ours (any more) is left alone. False where it may be there still.

    With `settled` nothing of the run is open: its marks go too.
    """
    return session.execute(GIVE, (owner, "settled" if settled else ""), timeout=15.0).status == 0
