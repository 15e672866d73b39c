"""Sets both dirty limits at once: how much may wait to be written, and from when on it is written in the background."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from memrunbook.actions.shared import guards, sysctl_dropin
from memrunbook.actions.shared.scripts import LOOK_ONLY, OWN_CHILD
from memrunbook.actions.shared.sysctl_rules import DIRTY, dirty_limits
from memrunbook.actions.shared.sysctls import KNOBS, counting, path
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
from memrunbook.core.units import Size, format_bytes

ACT = """\
dirty_set() { # FILE VALUE: a read by built-ins would see one digit, so `cat` looks
  printf '%s\\n' "$2" >"$1" || return 1
  dirty_now=$(child cat "$1") || return 1
  [ "$dirty_now" = "$2" ] && return 0
  printf '%s\\n' "$1 is $dirty_now after $2 was written" >&2
  return 1
}
act() { # FILE VALUE FILE VALUE
  dirty_set "$1" "$2" && dirty_set "$3" "$4"
}
"""
TAKE_BACK = (
    OWN_CHILD
    + """\
dirty_ours() { # FILE OURS OLDFILE OLD: 0 while the value is ours, or the old one already
  dirty_now=$(child cat "$1") && dirty_old=$(child cat "$3") || return 1
  [ "$dirty_now" = "$2" ] && return 0
  [ "$dirty_old" = "$4" ] && { [ "$1" = "$3" ] || [ "$dirty_now" = 0 ]; } && return 0
  printf '%s\\n' "$1 is $dirty_now, not $2 as we left it: somebody else has changed it" >&2
  return 4
}
dirty_back() { # OLDFILE OLD: writing a size sets the ratio to 0, and the other way round, but only a new one may
  [ "$2" != 0 ] || printf '1\\n' >"$1" || return 1
  printf '%s\\n' "$2" >"$1" && [ "$(child cat "$1")" = "$2" ]
}
take_back() { # twice: FILE OURS OLDFILE OLD
  dirty_ours "$1" "$2" "$3" "$4" || return
  dirty_ours "$5" "$6" "$7" "$8" || return
  [ "$(child cat "$3")" = "$4" ] && [ "$(child cat "$7")" = "$8" ] && return 0
  """
    + LOOK_ONLY
    + """\
  dirty_back "$3" "$4" && dirty_back "$7" "$8"
}
"""
)
SCRIPT = ACT + 'act "$@"\n'
UNDO = TAKE_BACK + 'take_back "$@"\n'
SCRIPT_KEPT = (
    ACT
    + sysctl_dropin.KEEP
    + """\
dirty_keep() { # DROPIN KEY VALUE
  dropin_read "$1" "$2"
  [ "$dropin_now" = "$3" ] || dropin_write "$1" "$2" "$3"
}
keep() { # FILE VALUE FILE VALUE DROPIN KEY KEY
  act "$1" "$2" "$3" "$4" && dirty_keep "$5" "$6" "$2" && dirty_keep "$5" "$7" "$4"
}
keep "$@"
"""
)
UNDO_KEPT = (
    TAKE_BACK
    + sysctl_dropin.KEEP
    + """\
dirty_kept() { # DROPIN KEY OURS KEPT: 0 while the file has ours, or what it had before
  dropin_read "$1" "$2"
  case $dropin_now in
    "$3" | "$4") return 0 ;;
  esac
  printf '%s\\n' "$1 sets $2 to ${dropin_now:-nothing}: somebody else has changed it" >&2
  return 4
}
dirty_unkeep() { # DROPIN KEY KEPT
  dropin_read "$1" "$2"
  [ "$dropin_now" != "$3" ] || return 0
  """
    + LOOK_ONLY
    + """\
  dropin_write "$1" "$2" "$3"
}
keep_no_more() { # twice: FILE OURS OLDFILE OLD; DROPIN; twice: KEY KEPT
  dirty_kept "$9" "${10}" "$2" "${11}" && dirty_kept "$9" "${12}" "$6" "${13}" || return
  take_back "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" || return
  dirty_unkeep "$9" "${10}" "${11}" && dirty_unkeep "$9" "${12}" "${13}"
}
keep_no_more "$@"
"""
)
TARGET = "vm.dirty"
WRITTEN_WITHIN = 60.0
LimitPercent = Annotated[int, Meta(ge=1, le=60)]
BackgroundPercent = Annotated[int, Meta(ge=1, le=50)]


class SetDirtyLimits(Action, frozen=True, kw_only=True):
    """Sets the dirty limit and the background limit together, as sizes or as percent of available memory."""

    max_risk: ClassVar[Risk] = Risk.MEDIUM
    repeat: ClassVar[Repeat] = Repeat.IDEMPOTENT
    needs: ClassVar[tuple[str, ...]] = ("host", "sysctl", "sysctl_files", "memory")
    undo_mode: ClassVar[UndoMode] = "auto"
    only_target: ClassVar[str] = TARGET
    host_wide: ClassVar[bool] = True

    limit: Annotated[Size | None, Meta(description="writers wait while more than this is unwritten")] = None
    background: Annotated[Size | None, Meta(description="from here on it is written in the background")] = None
    limit_percent: Annotated[LimitPercent | None, Meta(description="instead of limit")] = None
    background_percent: Annotated[BackgroundPercent | None, Meta(description="instead of background")] = None
    for_: guards.TakenBackAfter = msgspec.field(default=None, name="for")
    persist: Annotated[
        bool, Meta(description="keep them after a reboot: lines in a file of our own below sysctl.d")
    ] = False

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where both are set; blocked for a background value that is not below the limit."""
        new = self._new()
        files = ("sysctl_files.files",) if self.persist else ()
        blocked = _out_of_range(new) or guards.first(
            snapshot, *guards.HOST_WIDE, guards.known(*DIRTY, *files), guards.comes_back(self.for_)
        )
        if blocked is not None:
            return blocked
        if self.persist and self.for_ is not None:
            return Blocked("`persist` keeps the values and `for` takes them back", "leave one of the two out")
        if _are_set(snapshot, new) and not (self.persist and _to_be_kept(snapshot, new)):
            return NotNeeded(" and ".join(f"{key} is {value}" for key, value in new.items()))
        risk = dirty_limits(snapshot, new)
        if isinstance(risk, Blocked):
            return risk
        change = self._change(snapshot, new, risk)
        return _kept(change, snapshot, new) if self.persist else change

    def _new(self) -> dict[str, int]:
        """The two parameters and their new values; empty where it is not clear which are meant."""
        sizes, percents = (self.limit, self.background), (self.limit_percent, self.background_percent)
        for kind, given, others in (("bytes", sizes, percents), ("ratio", percents, sizes)):
            limit, background = given
            if limit is not None and background is not None and others == (None, None):
                return {f"vm.dirty_{kind}": limit, f"vm.dirty_background_{kind}": background}
        return {}

    def _change(self, snapshot: Snapshot, new: dict[str, int], risk: Risk) -> Change:
        words = [f"{key} {snapshot.value(f'sysctl.{key}')} -> {value}" for key, value in new.items()]
        pairs = [(path(key), str(value)) for key, value in new.items()]
        old = [counting(snapshot, key) for key in new]
        back = [(file, ours, path(key), str(value)) for (file, ours), (key, value) in zip(pairs, old, strict=True)]
        return self.change(
            summary=", ".join(words),
            target=TARGET,
            command=f"sysctl {' '.join(f'{key}={value}' for key, value in new.items())}",
            identity=f"{TARGET} {guards.boot(snapshot)}",
            script=SCRIPT,
            args=tuple(arg for pair in pairs for arg in pair),
            risk=risk,
            undo=Undo(
                " and ".join(f"{key} back to {value}" for key, value in old),
                UNDO,
                tuple(arg for one in back for arg in one),
            ),
            costs="programs that write much are slowed down sooner or later than before"
            + ("; they wait at once: more is unwritten now" if risk > Risk.LOW else ""),
            verify=Verify(_proof(new), within=WRITTEN_WITHIN),
            back_after=self.for_,
        )


def _are_set(snapshot: Snapshot, new: dict[str, int]) -> bool:
    return all(snapshot.value(f"sysctl.{key}") == value for key, value in new.items())


def _to_be_kept(snapshot: Snapshot, new: dict[str, int]) -> bool:
    """True where the next boot would lose one of them, and our own file does not keep it."""
    return any(
        str(value) not in (sysctl_dropin.kept(snapshot, key), sysctl_dropin.at_boot(snapshot, key))
        for key, value in new.items()
    )


def _kept(change: Change, snapshot: Snapshot, new: dict[str, int]) -> Change:
    """The same change, written to our file as well."""
    file, names = sysctl_dropin.DROPIN, [sysctl_dropin.name_in_files(key) for key in new]
    before = [word for key, name in zip(new, names, strict=True) for word in (name, sysctl_dropin.kept(snapshot, key))]
    held = [
        f"sysctl_files.files.exists(f, f.path == '{file}' && f.key == '{key}' && f.value == '{value}')"
        for key, value in new.items()
    ]
    undo, verify = change.undo or Undo("", ""), change.verify or Verify("true")
    warnings = [words for key, value in new.items() for words in sysctl_dropin.warnings(snapshot, key, value)]
    lines = "; ".join(f"echo '{name} = {value}' >> {file}" for name, value in zip(names, new.values(), strict=True))
    stays = ", ".join(f"{key} stays {value}" for key, value in new.items())
    return msgspec.structs.replace(
        change,
        summary=f"{stays if _are_set(snapshot, new) else change.summary}, also after a reboot",
        command=f"{change.command}; {lines}",
        script=SCRIPT_KEPT,
        args=(*change.args, file, *names),
        undo=Undo(
            f"{undo.summary}, and {file} as before", UNDO_KEPT, (*undo.args, file, *before), undo.mode, lasting=True
        ),
        costs="; ".join([change.costs, *dict.fromkeys(warnings)]),
        verify=msgspec.structs.replace(verify, that=" && ".join([verify.that, *held])),
    )


def _out_of_range(new: dict[str, int]) -> Blocked | None:
    if not new:
        hint = "give limit and background, or limit_percent and background_percent"
        return Blocked("it is not clear which limits are meant", hint)
    wrong = [key for key, value in new.items() if not KNOBS[key].low <= value <= KNOBS[key].high]
    if not wrong:
        return None
    key = wrong[0]
    allowed = f"{format_bytes(KNOBS[key].low)} to {format_bytes(KNOBS[key].high)}"
    return Blocked(f"{format_bytes(new[key])} is not allowed for {key}", f"allowed: {allowed}")


def _proof(new: dict[str, int]) -> str:
    (key, limit), _ = new.items()
    most = limit if key.endswith("_bytes") else f"memory.available_bytes / 100 * {limit}"
    return " && ".join([*(f"sysctl.{name} == {value}" for name, value in new.items()), f"memory.dirty_bytes <= {most}"])
