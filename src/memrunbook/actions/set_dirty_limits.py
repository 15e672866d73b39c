"""Sets both dirty limits at once: how much may wait to be written, and from when on it is written in the background."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from memrunbook.actions.shared import guards
from memrunbook.actions.shared.scripts import OWN_CHILD
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

SCRIPT = """\
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
act "$@"
"""
UNDO = (
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
  dirty_back "$3" "$4" && dirty_back "$7" "$8"
}
take_back "$@"
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
    needs: ClassVar[tuple[str, ...]] = ("host", "sysctl", "memory")
    undo_mode: ClassVar[UndoMode] = "auto"

    limit: Annotated[Size | None, Meta(description="writers wait while more than this is unwritten")] = None
    background: Annotated[Size | None, Meta(description="from here on it is written in the background")] = None
    limit_percent: Annotated[LimitPercent | None, Meta(description="instead of limit")] = None
    background_percent: Annotated[BackgroundPercent | None, Meta(description="instead of background")] = None
    for_: guards.TakenBackAfter = msgspec.field(default=None, name="for")

    def decide(self, snapshot: Snapshot) -> Decision:
        """Not needed where both are set; blocked for a background value that is not below the limit."""
        new = self._new()
        blocked = _out_of_range(new) or guards.first(
            snapshot, *guards.HOST_WIDE, guards.known(*DIRTY), guards.comes_back(self.for_)
        )
        if blocked is not None:
            return blocked
        if all(snapshot.value(f"sysctl.{key}") == value for key, value in new.items()):
            return NotNeeded(" and ".join(f"{key} is {value}" for key, value in new.items()))
        risk = dirty_limits(snapshot, new)
        return risk if isinstance(risk, Blocked) else self._change(snapshot, new, risk)

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
