"""Sets a kernel parameter of memory management, for a while, until the next boot or for good."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from memrunbook.actions.shared import guards, sysctl_dropin
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD, OWN_INSTEAD
from memrunbook.actions.shared.sysctl_rules import harmless
from memrunbook.actions.shared.sysctls import KNOBS, Knob, counting, path
from memrunbook.core.action.action import (
    Action,
    Blocked,
    Change,
    Decision,
    NotNeeded,
    Repeat,
    Risk,
    Undo,
    UndoMode,
    Verify,
)
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.text import clean
from memrunbook.core.units import KIB, parse_size

ACT = (
    OWN_INSTEAD
    + """\
act() { # FILE VALUE: a read by built-ins would see one digit, so `cat` looks
  printf '%s\\n' "$2" >"$1" || return 1
  now=$(instead cat "$1") || return 1
  [ "$now" = "$2" ] && return 0
  printf '%s\\n' "$1 is $now after $2 was written" >&2
  return 1
}
"""
)
TAKE_BACK = (
    OWN_CHILD
    + """\
take_back() { # FILE OURS OLDFILE OLD: writing OLDFILE (FILE, or its twin) takes FILE back
  now=$(child cat "$1") && old=$(child cat "$3") || return 1
  if [ "$now" != "$2" ]; then
    [ "$old" = "$4" ] && { [ "$1" = "$3" ] || [ "$now" = 0 ]; } && return 0
    printf '%s\\n' "$1 is $now, not $2 as we left it: somebody else has changed it" >&2
    return 4
  fi
  [ "$1" = "$3" ] && [ "$2" = "$4" ] && return 0
  """
    + LOOK_ONLY
    + """\
  [ "$1" = "$3" ] || [ "$4" != 0 ] || printf '1\\n' >"$3" || return 1
  printf '%s\\n' "$4" >"$3" || return 1
  [ "$(child cat "$3")" = "$4" ]
}
"""
)
SCRIPT = ACT + 'act "$@"\n'
UNDO = TAKE_BACK + 'take_back "$@"\n'
SCRIPT_KEPT = (
    ACT
    + sysctl_dropin.KEEP
    + """\
keep() { # FILE VALUE DROPIN KEY
  act "$1" "$2" || return 1
  dropin_read "$3" "$4"
  [ "$dropin_now" = "$2" ] || dropin_write "$3" "$4" "$2"
}
keep "$@"
"""
)
UNDO_KEPT = (
    TAKE_BACK
    + sysctl_dropin.KEEP
    + """\
keep_no_more() { # FILE OURS OLDFILE OLD DROPIN KEY KEPT: KEPT is what the drop-in set before, empty for nothing
  dropin_read "$5" "$6"
  case $dropin_now in
    "$2" | "$7") ;;
    *) printf '%s\\n' "$5 sets $6 to ${dropin_now:-nothing}: somebody else has changed it" >&2; return 4 ;;
  esac
  take_back "$1" "$2" "$3" "$4" || return
  [ "$dropin_now" != "$7" ] || return 0
  """
    + LOOK_ONLY
    + """\
  dropin_write "$5" "$6" "$7"
}
keep_no_more "$@"
"""
)


class SetSysctl(Action, frozen=True, kw_only=True):
    """Sets one of the kernel parameters whose range and dangers are known; `persist` keeps it after a reboot."""

    max_risk: ClassVar[Risk] = Risk.HIGH
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = ("host", "sysctl", "sysctl_files", "memory", "swap", "hugepages")
    undo_mode: ClassVar[UndoMode] = "auto"
    host_wide: ClassVar[bool] = True

    key: Annotated[str, Meta(description="the parameter, as in vm.swappiness")]
    value: Annotated[int | str, Meta(description='its new value; for a parameter in bytes or KiB also "512 MiB"')]
    for_: guards.TakenBackAfter = msgspec.field(default=None, name="for")
    persist: Annotated[bool, Meta(description="keep it after a reboot: a line in a file of our own below sysctl.d")] = (
        False
    )

    @classmethod
    def reads(cls, given: Mapping[str, Any]) -> tuple[str, ...]:
        """The files of sysctl.d only to keep a value, swap and huge pages only for what is judged by them."""
        knob = KNOBS.get(str(given.get("key")).replace("-", "_"))
        spared = {"sysctl_files"} if given.get("persist", False) is False else set()
        spared |= {"swap", "hugepages"} if knob is not None and knob.judge is harmless else set()
        return tuple(fact for fact in cls.needs if fact not in spared)

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where the value is set; blocked for an unknown parameter, a bad value or a danger to this host."""
        name = self.key.replace("-", "_")
        knob = KNOBS.get(name)
        if knob is None:
            return _unknown(name)
        value = _number(name, self.value)
        if value is None or not knob.low <= value <= knob.high:
            allowed = f"{knob.low} to {knob.high}" if knob.low < knob.high else f"{knob.low}"
            return Blocked(f"{clean(str(self.value))} is not allowed for {name}", f"allowed: {allowed}")
        return self._judged(snapshot, name, knob, value)

    def _judged(self, snapshot: Snapshot, name: str, knob: Knob, value: int) -> Decision:
        blocked = self._blocked(snapshot, name, knob)
        if blocked is not None:
            return blocked
        old = snapshot.value(f"sysctl.{name}")
        if old == value and not self._to_be_kept(snapshot, name, value):
            return NotNeeded(f"{name} is {value}")
        risk = knob.judge(snapshot, old, value) if old != value else Risk.LOW
        if isinstance(risk, Blocked):
            return risk
        if self.for_ is not None and _risky_way_back(snapshot, name, value):
            why = f"going back from {name} {value} may make programs fail, and `for` would do it unasked"
            return Blocked(why, "leave `for` out; the change then stays until it is set back")
        change = self._change(snapshot, name, value, risk)
        return _kept(change, snapshot, name, value) if self.persist else change

    def _blocked(self, snapshot: Snapshot, name: str, knob: Knob) -> Blocked | None:
        if self.persist and self.for_ is not None:
            return Blocked("`persist` keeps the value and `for` takes it back", "leave one of the two out")
        twin = (f"sysctl.{knob.twin}",) if knob.twin else ()
        files = ("sysctl_files.files",) if self.persist else ()
        known = guards.known(f"sysctl.{name}", *twin, *files)
        return guards.first(snapshot, *guards.HOST_WIDE, known, guards.comes_back(self.for_))

    def _to_be_kept(self, snapshot: Snapshot, name: str, value: int) -> bool:
        """True where the next boot would lose the value, and our own file does not keep it."""
        if not self.persist:
            return False
        return str(value) not in (sysctl_dropin.kept(snapshot, name), sysctl_dropin.at_boot(snapshot, name))

    def _change(self, snapshot: Snapshot, name: str, value: int, risk: Risk) -> Change:
        knob = KNOBS[name]
        old = snapshot.value(f"sysctl.{name}")
        source, before = counting(snapshot, name)
        return self.change(
            summary=f"{name} {old} -> {value}",
            target=name,
            command=f"sysctl {name}={value}",
            identity=f"{name} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=(path(name), str(value)),
            risk=risk,
            undo=Undo(
                f"{source} back to {before}",
                UNDO,
                (path(name), str(value), path(source), str(before)),
                _mode(snapshot, name, value),
            ),
            costs=_costs(snapshot, name, knob),
            verify=Verify(f"sysctl.{name} == {value}"),
            back_after=self.for_,
        )


def _kept(change: Change, snapshot: Snapshot, name: str, value: int) -> Change:
    """The same change, written to our file as well."""
    file, key = sysctl_dropin.DROPIN, sysctl_dropin.name_in_files(name)
    source, before = counting(snapshot, name)
    old = (path(name), str(value), path(source), str(before), file, key, sysctl_dropin.kept(snapshot, name))
    unchanged = snapshot.value(f"sysctl.{name}") == value
    held = f"sysctl_files.files.exists(f, f.path == '{file}' && f.key == '{name}' && f.value == '{value}')"
    return msgspec.structs.replace(
        change,
        summary=f"{name} stays {value} after a reboot" if unchanged else f"{change.summary}, also after a reboot",
        command=f"{change.command}; echo '{key} = {value}' >> {file}",
        script=SCRIPT_KEPT,
        args=(*change.args, file, key),
        undo=Undo(
            f"{source} back to {before}, and {file} as before",
            UNDO_KEPT,
            old,
            _mode(snapshot, name, value),
            lasting=True,
        ),
        costs="; ".join([change.costs, *sysctl_dropin.warnings(snapshot, name, value)]),
        verify=Verify(f"sysctl.{name} == {value} && {held}"),
    )


def _risky_way_back(snapshot: Snapshot, name: str, value: int) -> bool:
    """Strict overcommit, or less of it, makes allocations fail: never done without somebody who decides."""
    if not name.startswith("vm.overcommit_"):
        return False
    source, before = counting(snapshot, name)
    way_back = KNOBS[source].judge(snapshot, value if source == name else 0, before)
    return isinstance(way_back, Blocked) or way_back is Risk.HIGH


def _mode(snapshot: Snapshot, name: str, value: int) -> UndoMode:
    return "offer" if _risky_way_back(snapshot, name, value) else "auto"


def _unknown(name: str) -> Blocked:
    close = difflib.get_close_matches(name, KNOBS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(KNOBS)}"
    return Blocked(f"{clean(name)} is no parameter whose range and dangers are known here", hint)


def _number(name: str, value: int | str) -> int | None:
    if isinstance(value, int) or value.isdecimal():
        return int(value)
    for suffix, unit in (("_kbytes", KIB), ("_bytes", 1)):
        if name.endswith(suffix):
            with contextlib.suppress(ValueError):
                return parse_size(value) // unit
    return None


def _costs(snapshot: Snapshot, name: str, knob: Knob) -> str:
    if name == "vm.swappiness" and snapshot.value("host.cgroup_version") == 1:
        return f"{knob.costs}; cgroups that exist already keep their own value (cgroup v1)"
    return knob.costs
