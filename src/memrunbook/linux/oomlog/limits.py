"""The limit that was hit: of which control group, whose that is, and who may raise it."""

from __future__ import annotations

from memrunbook.core.units import KIB, format_bytes
from memrunbook.linux.attribution import limit_owner, owner_of
from memrunbook.linux.oomlog.account import OomLimit
from memrunbook.linux.oomlog.event import LogEvent
from memrunbook.linux.oomlog.places import MOST

UNLIMITED_KIB = 1 << 50
NEARLY_FULL = 0.99
"""A limit is hit by a request that no longer fits: its counter need not stand at the very end."""
WHOSE = {
    "own": "",
    "pod": "the limit of the whole pod, all its containers together",
    "container": "the container's own limit",
    "ancestor": "the limit of a group above the victim's, shared by all below it",
    "slice": "the slice's limit, which the administrator set for all in it",
    "node-allocatable": "the node's allocatable memory, for all pods together",
    "quality-of-service": "what the kubelet leaves to pods of this quality of service",
}
RAISED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "own": (("raise that limit, or restart or mend what runs in it",), ()),
    "pod": (("raise the memory limits of the pod's containers, or mend what grew in it",), ()),
    "container": (("raise the container's memory limit, or mend what runs in it",), ()),
    "ancestor": (("raise the limit of that group, or find which one below it grew",),
                 ("raising the victim's own limit",)),
    "slice": (("raise the slice's limit (systemctl set-property), or find who in it grew",),
              ("raising the victim's own limit",)),
    "node-allocatable": (("requests that are as large as what the pods use, fewer pods here, a larger node",),
                         ("raising the pod's limit, editing the kubepods group",)),
    "quality-of-service": (("requests and limits that are as large as what the pods use",),
                           ("raising the pod's own limit",)),
}  # fmt: skip
"""What helps against each kind of limit, and what does not."""


KINDS = {"kmem": "kernel memory", "memory+swap": "memory and swap together"}
KERNEL_RAISED = (
    ("take the limit of kernel memory off (docker run --kernel-memory, memory.kmem.limit_in_bytes)",),
    ("raising its memory limit, restarting or limiting the victim",),
)


def full_beside(event: LogEvent) -> str:
    """The other limit of version 1 that was hit, empty where it was the memory's own."""
    if event.usage_kib is not None and event.limit_kib is not None and event.usage_kib >= event.limit_kib:
        return ""
    return next((kind for kind, (used, most) in event.beside.items() if used >= most * NEARLY_FULL), "")


def limit_of(event: LogEvent) -> tuple[OomLimit, ...]:
    """The limit that was hit, none where it was the host's memory."""
    if event.oom_memcg is None and event.limit_kib is None:
        return ()
    group = event.oom_memcg or ""
    owner = limit_owner(group, event.task_memcg or "") if group else "own"
    used, most = event.beside.get(full_beside(event), (event.usage_kib, event.limit_kib))
    unlimited = most is None or most > UNLIMITED_KIB
    limit = OomLimit(
        group=group,
        owner=owner,
        used_bytes=None if used is None else min(used * KIB, MOST),
        limit_bytes=None if unlimited else min((most or 0) * KIB, MOST),
        says=_says(event, group, owner, unlimited=unlimited),
    )
    return (limit,)


def _says(event: LogEvent, group: str, owner: str, *, unlimited: bool) -> str:
    kind = full_beside(event)
    usage, most = event.beside.get(kind, (event.usage_kib, event.limit_kib))
    used = "" if usage is None else f": {format_bytes(usage * KIB)} used"
    size = f" of {format_bytes((most or 0) * KIB)}"
    limit = "" if most is None else " of no limit" if unlimited else size
    limit += f" for {KINDS[kind]}" if kind else ""
    whose = WHOSE[owner]
    if owner == "own" and owner_of(group).unit == group.rpartition("/")[2] != "":
        whose = "the unit's own limit"
    joint = f"{used}{limit}" if used or not limit else f":{limit.removeprefix(' of')} (its usage is not known)"
    return f"{group or 'its control group'}{joint}" + (f"; {whose}" if whose else "")
