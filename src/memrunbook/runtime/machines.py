"""Which machines a run has entered: one that has several names is changed under the first of them alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from memrunbook.core.errors import Refused
from memrunbook.runtime.ports import Session

# The place of the lock: a boot, and what stands at /run there (proc(5), mountinfo). Clones share keys and ids, and
# containers of one machine the boot, but never both of these.
PLACE = """
mrb_boot= mrb_place= mrb_above=
{ read -r mrb_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
while read -r mrb_id mrb_parent mrb_device mrb_root mrb_point mrb_rest; do
  case $mrb_point in
    /) mrb_above="$mrb_device $mrb_root" ;;
    /run) mrb_place="$mrb_device $mrb_root" ;;
  esac
done </proc/self/mountinfo
[ -n "$mrb_boot" ] && printf '%s %s\\n' "$mrb_boot" "${mrb_place:-$mrb_above}"
"""
HINT = "name each machine once; names that have one address, user and port are told by: runbook hosts --check"


@dataclass
class Machines:
    """The machines of one run, each with the name under which it was entered first; shared by all hosts."""

    _names: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, session: Session, host: str) -> None:
        """Refused where this run has entered the same machine under another name; what cannot be told is let in."""
        place = session.execute(PLACE, timeout=15.0).text.strip()
        if not place:
            return
        with self._lock:
            first = self._names.setdefault(place, host)
        if first != host:
            raise Refused(f"this is the same machine as {first}, which this run has entered already", hint=HINT)
