"""Pieces of POSIX sh that several actions share, and what the exit statuses of their scripts mean.

A change's script runs as the body of a function in a long-lived root shell, so it never says `exit`; the shell offers
`child PROGRAM …`, which runs a program with the login's own `oom_score_adj`. An undo may also run under `/bin/sh -c`.

    0    done
    1    it failed; the output says why
    3    the target is gone or is another one by now
    4    the value is not ours any more, or the old one would do harm by now: an undo leaves it alone
    5    an undo that was only to look: it would take the change back
    124  the kernel is still at it after the wait: the outcome is unknown
"""

from __future__ import annotations

STILL_GOING = 124
"""The exit status of a script whose write the kernel had not finished when the wait was over."""

WOULD_ACT = 5
"""The exit status of an undo that was only to look and found that it would act."""

LOOK_ONLY = '[ -z "${mrb_look-}" ] || return 5\n'
"""Stands in every undo before the first thing that it does: with `mrb_look` set it has only looked by then."""

OWN_CHILD = """\
command -v child >/dev/null 2>&1 || child() { "$@"; }
"""
"""In front of every undo: without the session's `child`, programs are run as they are."""

OWN_INSTEAD = """\
command -v instead >/dev/null 2>&1 || instead() { exec "$@"; }
"""
"""The same for `instead PROGRAM …`: what is a process already, as in `$(…)`, becomes that program."""

SAME_RUN = """\
same_run() { # UNIT MAINPID INVOCATION: 0 while that very run of the unit goes on, else 3
  run_nl='
'
  run_now=$(child systemctl show --property=MainPID --property=InvocationID -- "$1") || return 1
  case $run_nl$run_now$run_nl in
    *"${run_nl}MainPID=$2$run_nl"*) ;;
    *) printf '%s\\n' "$1 has another main process by now" >&2; return 3 ;;
  esac
  [ -n "$3" ] || return 0
  case $run_nl$run_now$run_nl in
    *"${run_nl}InvocationID=$3$run_nl"*) return 0 ;;
    *) printf '%s\\n' "$1 was started again meanwhile" >&2; return 3 ;;
  esac
}
"""
"""Looks in the same instant whether a unit still is in the run that was planned for."""

WRITE_SLOWLY = """\
write_slowly() { # FILE VALUE SECONDS: a child writes, a dot a second shows that we wait
  { child sh -c 'printf "%s\\n" "$2" >"$1"' sh "$1" "$2"; } </dev/null >/dev/null 2>&1 &
  slow_writer=$!
  slow_left=$3
  while kill -0 "$slow_writer" 2>/dev/null; do
    if [ "$slow_left" -le 0 ]; then
      printf '\\n%s\\n' "the kernel still works on $1 after $3 s and goes on without us" >&2
      return 124
    fi
    slow_left=$((slow_left - 1))
    child sleep 1
    printf .
  done
  wait "$slow_writer" && return 0
  printf '\\n%s\\n' "the kernel refused $2 for $1" >&2
  return 1
}
"""
"""Writes a value that may keep the kernel busy for minutes, without blocking the shell for good."""
