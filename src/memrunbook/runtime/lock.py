"""One run per host at a time: a lock on the host itself, across users and control nodes."""

from __future__ import annotations

from memrunbook.core.errors import Refused, SessionLost
from memrunbook.core.text import clean
from memrunbook.runtime.ports import Session

# Where the lock stands: /run is gone after a reboot, and so is the lock. The folder of a user must be the user's own.
PLACE = """
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
mrb_start() { IFS= read -r mrb_stat <"/proc/$1/stat" || return 1; set -- ${mrb_stat##*) }; mrb_started=${20}; }
"""
TAKE = (
    PLACE
    + """
mrb_start $$ || mrb_started=0
set -C; printf '%s\\n%s %s\\n' "$1" "$$" "$mrb_started" 2>/dev/null >"$mrb_lock"; mrb_status=$?; set +C
[ $mrb_status = 0 ] && return 0
[ -e "$mrb_lock" ] || return 7
{ IFS= read -r mrb_owner; read -r mrb_pid mrb_then; } <"$mrb_lock"
mrb_state=stale
if mrb_start "${mrb_pid:-none}" 2>/dev/null && [ "$mrb_started" = "$mrb_then" ]; then mrb_state=held; fi
# Its shell is ended first: a run whose lock was taken over must not go on.
if [ "$2" = break ] && { [ $mrb_state = stale ] || kill -KILL "$mrb_pid" 2>/dev/null; }; then
  child rm -f -- "$mrb_lock"; mrb_start $$ || mrb_started=0
  set -C; printf '%s\\n%s %s\\n' "$1" "$$" "$mrb_started" 2>/dev/null >"$mrb_lock"; set +C
  IFS= read -r mrb_owner <"$mrb_lock" && [ "$mrb_owner" = "$1" ] && return 0
fi
printf '%s %s (pid %s)\\n' "$mrb_state" "$mrb_owner" "${mrb_pid:-unknown}"; return 5
"""
)
GIVE = PLACE + 'IFS= read -r mrb_owner <"$mrb_lock" && [ "$mrb_owner" = "$1" ] && child rm -f -- "$mrb_lock"'
HELD, NOT_OURS = 5, 6


def take(session: Session, owner: str, *, force: bool) -> None:
    """Takes the lock; Refused with its owner where somebody else has it. `owner` is one line: run, actor, time."""
    output = session.execute(TAKE, (owner, "break" if force else ""), timeout=15.0)
    if output.status == 0:
        return
    if output.timed_out:
        raise SessionLost("the host did not answer while it was being locked; the lock may be held")
    if output.status is None:
        raise SessionLost("the connection was lost while the host was being locked; the lock may be held")
    state, _, by = output.text.strip().partition(" ")
    if output.status == HELD and state == "stale":
        raise Refused(
            f"an earlier run left its lock on the host, and its shell is gone: {clean(by)}",
            hint="look at that run with: runbook runs; then repeat the command with --break-lock",
        )
    if output.status == HELD:
        raise Refused(
            f"another run is at work on the host: {clean(by)}",
            hint="wait for it; if it is dead, --break-lock ends its shell on the host and takes the lock over",
        )
    raise Refused(f"the host cannot be locked: {clean(output.text)}", hint="is /run writable on the host?")


def give(session: Session, owner: str) -> None:
    """Gives the lock back; one that is not ours (any more) is left alone."""
    session.execute(GIVE, (owner,), timeout=15.0)
