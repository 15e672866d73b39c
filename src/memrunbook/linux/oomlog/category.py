"""What kind of an out-of-memory event it was: that decides which remedies can help at all."""

from __future__ import annotations

from memrunbook.linux.oomlog.event import ANYWHERE, CPUSET, KERNEL_KILLERS, MEMCG, POLICY, LogEvent

CLASSES = {MEMCG: "memcg", CPUSET: "cpuset", POLICY: "mempolicy"}
MOST_NODES = 1024


def category(event: LogEvent) -> str:
    """One of: userspace manual no-victim memcg cpuset mempolicy high-order global."""
    if event.killer not in KERNEL_KILLERS:
        return "userspace"
    if event.by_hand:
        return "manual"
    if event.hopeless and not event.kills:
        return "no-victim"
    kind = "memcg" if event.of_group else CLASSES.get(event.constraint or "") or _inferred(event)
    if kind == "global" and (event.order or 0) > 0 and event.free_kib > event.high_kib > 0:
        return "high-order"
    return kind


def constraint(event: LogEvent) -> tuple[str | None, bool]:
    """The kernel's word for it, and whether it was inferred; None where nothing narrower than the host is known."""
    if event.constraint is not None:
        return event.constraint, event.inferred
    words = {kind: word for word, kind in CLASSES.items()}
    inferred = words.get(_inferred(event))
    return inferred, inferred is not None


def _inferred(event: LogEvent) -> str:
    """Kernels before 5.0 do not print it: a narrower set of nodes than the host's says it."""
    if event.constraint is not None:
        return "global"
    known = event.mems_allowed or "0"  # 4.8 to 4.12 print the allowed nodes where no policy names any
    if event.nodemask not in (None, ANYWHERE, known):
        return "mempolicy"
    allowed = _nodes(event.mems_allowed or "")
    return "cpuset" if allowed and allowed < event.nodes else "global"


def _nodes(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal():
            end = int(last) if last.isdecimal() else int(first)
            found.update(range(int(first), min(end, MOST_NODES) + 1))
    return found
