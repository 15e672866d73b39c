"""Marks on the host itself where the commands of a run begin and how they end: a crash of the engine does not hide it.

One file a run, begun when the host is locked and removed when the run has ended with nothing open. Each command adds a
line before it begins and one with its exit status when it has ended; shell built-ins write them, so that a host that
cannot start a process any more still does. Gone with a reboot. Only who could change the host anyway can write it: in
/run for root, else in the user's own folder, which outlives the login.
"""

from __future__ import annotations

from typing import Literal

from memrunbook.actions.shared.scripts import STILL_GOING
from memrunbook.core.instant import Instant
from memrunbook.core.run.request import Look, Seen
from memrunbook.core.text import clean
from memrunbook.runtime.ports import Session

LOOK_TIMEOUT = 20.0
LENGTH = 16
"""So many characters of a record's hash name it on the host, here and in the host's own log."""

# A zombie is gone: it does nothing any more, whoever forgot to bury it. A name may hold a newline: all lines are read.
PROCESS = """
mrb_start() { # PID: in mrb_started when it began, in mrb_group and mrb_session where it belongs
  mrb_stat=
  { while IFS= read -r mrb_text; do mrb_stat=$mrb_stat$mrb_text; done; } <"/proc/$1/stat" || return 1
  [ -n "$mrb_stat" ] || return 1
  set -- ${mrb_stat##*) }
  mrb_group=$3 mrb_session=$4 mrb_started=${20}
  case $1 in Z | X) return 1 ;; esac
}
"""
# A shell that was ended leaves behind what it had started: that is known by the group or session that was the shell's
# own, whose number nobody else gets while one of it lives. Whoever leads a group of that number and began later is not.
WORKING = """
mrb_working() { # SHELL STARTED GROUP: in mrb_who which process of a command is at work
  mrb_who=$1
  mrb_start "$1" 2>/dev/null && [ "$mrb_started" = "$2" ] && return 0
  [ "${3:-0}" -gt 1 ] 2>/dev/null || return 1
  mrb_start "$3" 2>/dev/null && [ "$mrb_started" -gt "$2" ] && return 1
  for mrb_who in /proc/[0-9]*; do
    mrb_who=${mrb_who#/proc/}
    mrb_start "$mrb_who" 2>/dev/null || continue
    if [ "$mrb_group" = "$3" ] || [ "$mrb_session" = "$3" ]; then return 0; fi
  done
  return 1
}
mrb_named() { # PID: in mrb_name what it is called
  mrb_name=
  { IFS= read -r mrb_name; } 2>/dev/null <"/proc/$1/comm"
}
"""
MARKS = """
mrb_place() { # RUN
  mrb_uid=${shell_user:-$(child id -u)}
  mrb_marks=/run/memrunbook-$1.started
  [ "$mrb_uid" = 0 ] && return 0
  mrb_marks=${TMPDIR:-/tmp}/memrunbook-$mrb_uid
  [ -d "$mrb_marks" ] || child mkdir -m 700 "$mrb_marks"
  [ -O "$mrb_marks" ] && [ ! -L "$mrb_marks" ] || return 6
  mrb_marks=$mrb_marks/$1.started
}
"""
# Without a mark nothing is begun: what nobody could look at afterwards must not happen.
BEFORE = (
    PROCESS
    + MARKS
    + """
mrb_start $$ || mrb_started=0
case ${shell_group:-0} in "$$" | "${shell_parent-}") mrb_group=$shell_group ;; *) mrb_group=0 ;; esac
mrb_place "$1" && printf 'begun %s %s %s %s\\n' "$2" "$$" "$mrb_started" "$mrb_group" >>"$mrb_marks" || {
  printf 'nothing was begun: its start could not be marked in %s\\n' "$mrb_marks"; return 1
}
mrb_record=$2; shift 2
mrb_begun() {
"""
)
AFTER = """
}
mrb_begun "$@"
mrb_status=$?
printf 'ended %s %s\\n' "$mrb_record" "$mrb_status" >>"$mrb_marks"
return "$mrb_status"
"""
# A unit's job goes on in systemd when the program that asked for it is gone.
LOOK = (
    PROCESS
    + WORKING
    + MARKS
    + """
mrb_found=absent mrb_shell=none mrb_since=0 mrb_own=0
mrb_place "$1" && [ -f "$mrb_marks" ] || { printf 'unseen\\n'; return 0; }
while read -r mrb_word mrb_record mrb_first mrb_second mrb_third; do
  [ "$mrb_record" = "$2" ] || continue
  case $mrb_word in
    begun) mrb_found=begun mrb_shell=$mrb_first mrb_since=$mrb_second mrb_own=$mrb_third ;;
    ended) mrb_found="ended $mrb_first" ;;
  esac
done <"$mrb_marks"
if [ "$mrb_found" = begun ]; then
  if mrb_working "$mrb_shell" "$mrb_since" "$mrb_own"; then
    mrb_named "$mrb_who"
    mrb_found="at-work $mrb_who ${mrb_name:+($mrb_name)}"
  elif [ -n "$3" ]; then
    mrb_job=$(child systemctl show --property=Job -- "$3" 2>/dev/null)
    case $mrb_job in Job=0 | Job= | '') ;; *) mrb_found=at-work ;; esac
  fi
fi
printf '%s\\n' "$mrb_found"
"""
)


BARE: dict[str, Literal["begun", "absent"]] = {"begun": "begun", "absent": "absent"}
JOB = "the job that it asked systemd for is still at work on the host"


def marked(script: str, args: tuple[str, ...], run: str, record: str) -> tuple[str, tuple[str, ...]]:
    """A script that marks its start and its end, and its arguments; `record` is the hash of the question on disk."""
    return f"{BEFORE}{script}{AFTER}", (run, record[:LENGTH], *args)


def look(session: Session, asked: Look, at: Instant) -> Seen:
    """What the host's mark says of a command; never raises for what the host does, and changes nothing."""
    output = session.execute(LOOK, (asked.run, asked.record[:LENGTH], asked.unit), timeout=LOOK_TIMEOUT)
    found, _, status = output.text.strip().partition(" ")
    if output.status != 0:
        said = clean(output.text.strip()) or "it gave no answer"
        return Seen(at, "unseen", why=f"the host could not be asked: {said}")
    if found == "ended" and status == str(STILL_GOING):
        return Seen(at, "begun", why="the kernel was still at it when its command gave up waiting")
    if found == "ended" and status.isdecimal():
        return Seen(at, "ended", int(status))
    if found == "at-work":
        return Seen(at, "at-work", why=f"its process {clean(status)} is still at work on the host" if status else JOB)
    if found in BARE:
        return Seen(at, BARE[found])
    return Seen(at, "unseen", why="its mark is not on the host any more (a reboot takes it away)")
