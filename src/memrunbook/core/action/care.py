"""A change of a service with what `services.yaml` asks for around it: its drain, its health, its way back.

The drain is part of the change's own script, the way back part of its undo's: one exchange, one mark on the host and
one answer are of both, so that nobody finds a drained host whose run knows nothing of it. Health, and the way back
after a change, are a part of the proof.
"""

from __future__ import annotations

from msgspec import structs

from memrunbook.core.action.action import Change, Leaves, Repeat, Risk, Undo
from memrunbook.core.action.policy import Care
from memrunbook.core.reading.probe import quoted
from memrunbook.core.units import format_duration

NOT_BEGUN = 97
"""The exit status of a script whose drain failed: the service itself was not touched."""
ONE_LOOK = 10.0
"""Seconds that one look at the health of a service may take."""
SLACK = 10.0

# An undo brings its own `child` along: `care_act` runs first.
# The line was quoted by us (core/reading/probe.py): it yields exactly the words of services.yaml again.
BOUNDED = """\
care_run() { # SECONDS LINE: runs the program that the line names, and ends it when its time is over
  care_left=$1 care_time=$1
  eval "set -- $2"
  {
    { [ -z "${shell_adj-}" ] || printf '%s\\n' "$shell_adj" >/proc/self/oom_score_adj; } 2>/dev/null
    exec "$@"
  } </dev/null &
  care_pid=$!
  while kill -0 "$care_pid" 2>/dev/null; do
    if [ "$care_left" -le 0 ]; then
      kill -KILL "$care_pid" 2>/dev/null
      wait "$care_pid" 2>/dev/null
      printf '%s\\n' "ended, as it took longer than $care_time s"
      return 1
    fi
    care_left=$((care_left - 1))
    child sleep 1
  done
  wait "$care_pid" && return 0
  care_status=$?
  printf '%s\\n' "exit status $care_status"
  return 1
}
"""
DRAINED = """\
care_drained() { # ARGUMENT ... DRAIN UNDRAIN SECONDS
  care_count=$(($# - 3))
  while [ "$care_count" -gt 0 ]; do
    set -- "$@" "$1"
    shift
    care_count=$((care_count - 1))
  done
  care_back=$2 care_seconds=$3
  if care_run "$3" "$1"; then
    shift 3
    care_act "$@"
    return
  fi
  printf '%s\\n' "its drain failed, so it was not touched"
  [ -n "$care_back" ] || return 97
  if care_run "$care_seconds" "$care_back"; then
    printf '%s\\n' "it was put back into service"
  else
    printf '%s\\n' "it may be out of service: putting it back failed too"
  fi
  return 97
}
care_drained "$@"
"""
BACK = """\
care_returned() { # UNDRAIN SECONDS ARGUMENT ...
  care_back=$1 care_seconds=$2
  shift 2
  care_act "$@" || return
  [ -z "${mrb_look-}" ] || return 0
  care_run "$care_seconds" "$care_back" && return 0
  printf '%s\\n' "it was taken back, and is still out of service: putting it back failed" >&2
  return 1
}
care_returned "$@"
"""
RUN = f'{BOUNDED}care_run "$@"\n'


def with_care(change: Change, care: Care, leaves: Leaves) -> Change:
    """The change with what is asked for around it, as far as that fits how it leaves the service.

    A service is drained before it is stopped, frozen or run anew; its health is asked for where it is to serve
    afterwards, and then it is put back into service, or by what takes the change back.
    """
    drains, serves, returns = leaves in ("down", "anew"), leaves in ("up", "anew", "running"), leaves in ("up", "anew")
    kept = structs.replace(
        care,
        drain=care.drain if drains else (),
        health=care.health if serves else (),
        undrain=care.undrain if returns or (drains and change.undo is not None) else (),
    )
    change = structs.replace(change, care=kept)
    if not kept.drain:
        return change
    if change.undo is not None and kept.undrain:
        change = structs.replace(change, undo=_with_return(change.undo, kept))
    back = quoted(kept.undrain) if kept.undrain else ""
    return structs.replace(
        change,
        script=f"{BOUNDED}care_act() {{\n{change.script}\n}}\n{DRAINED}",
        args=(*change.args, quoted(kept.drain), back, _whole(kept.drain_within)),
        timeout=change.timeout + kept.drain_within * (2 if back else 1) + SLACK,
    )


def health_of(change: Change) -> Change | None:
    """The look at the service's health after a change; None where none is declared."""
    care = change.care
    if care is None or not care.health:
        return None
    within = min(ONE_LOOK, care.health_within)
    return _beside(change, care.health, within, Risk.NONE, f"Health of {change.target}: {quoted(care.health)}")


def return_of(change: Change) -> Change | None:
    """What puts the service back once its health has held; None where nothing does, or it is to stay out."""
    care = change.care
    if care is None or not care.undrain or stays_out(change):
        return None
    line = quoted(care.undrain)
    return _beside(change, care.undrain, care.drain_within, Risk.LOW, f"Put {change.target} back into service: {line}")


def stays_out(change: Change) -> bool:
    """True where the change takes the service down: only what takes that back puts it back into service."""
    return change.undo is not None and BACK in change.undo.script


def care_words(change: Change) -> tuple[tuple[str, str], ...]:
    """What is done around a change, by a word for each: drain, health, return."""
    care = change.care
    if care is None:
        return ()
    limit = format_duration(care.drain_within)
    found = []
    if care.drain:
        found.append(("drain", f"{quoted(care.drain)}, within {limit}; where it fails, nothing is changed"))
    if care.health:
        found.append(("health", f"{quoted(care.health)}, exit status 0 within {format_duration(care.health_within)}"))
    if care.undrain:
        when = "when it is taken back" if stays_out(change) else "when its health holds" if care.health else "then"
        found.append(("return", f"{quoted(care.undrain)}, {when}"))
    return tuple(found)


def _with_return(undo: Undo, care: Care) -> Undo:
    return structs.replace(
        undo,
        summary=f"{undo.summary}, and put it back into service",
        script=f"{BOUNDED}care_act() {{\n{undo.script}\n}}\n{BACK}",
        args=(quoted(care.undrain), _whole(care.drain_within), *undo.args),
    )


def _beside(change: Change, words: tuple[str, ...], within: float, risk: Risk, summary: str) -> Change:
    """A command of services.yaml as a change that may be repeated freely: it is a part of another one's proof."""
    return Change(
        action=change.action,
        summary=summary,
        target=change.target,
        script=RUN,
        args=(_whole(within), quoted(words)),
        risk=risk,
        repeat=Repeat.READ,
        timeout=within + SLACK,
        touches=change.touches,
        command=quoted(words),
    )


def _whole(seconds: float) -> str:
    return f"{max(1.0, seconds):.0f}"
