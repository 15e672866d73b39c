"""What kind of an out-of-memory event it was: that decides which remedies can help at all."""

from __future__ import annotations

from memrunbook.linux.oomlog import memory
from memrunbook.linux.oomlog.event import (
    CPUSET,
    KERNEL_KILLERS,
    MEMCG,
    POLICY,
    USUAL_PAGE_KIB,
    LogEvent,
    Picture,
)
from memrunbook.linux.zones import NO_NODES, Judgement, PageRequest, judge, nodes_of

LIMIT, PAGE_FAULT, GLOBAL, HIGH_ORDER = "memcg", "page-fault", "global", "high-order"
MANUAL, USERSPACE, PANIC, NOBODY = "manual", "userspace", "panic", "no-victim"
CLASSES = {MEMCG: LIMIT, CPUSET: "cpuset", POLICY: "mempolicy"}


def category(event: LogEvent, found: Judgement | None = None) -> str:
    """One of: userspace manual panic no-victim page-fault memcg cpuset mempolicy high-order global.

    `found` is the judgement of its zones, where that is known already.
    """
    if event.killer not in KERNEL_KILLERS:
        return USERSPACE
    if event.by_hand:
        return MANUAL
    if event.panic in ("compulsory", "panic_on_oom"):
        return PANIC
    if event.hopeless and not event.kills:
        return NOBODY
    return shortage(event, found)


def shortage(event: LogEvent, found: Judgement | None = None) -> str:
    """Which memory was wanting, whoever was killed for it: memcg cpuset mempolicy page-fault high-order global."""
    kind = LIMIT if event.of_group else CLASSES.get(event.constraint or "") or _inferred(event)
    if kind != GLOBAL:
        return kind
    if is_page_fault(event):
        return PAGE_FAULT
    if not event.order:
        return kind
    return HIGH_ORDER if (found or judgement(event)).state == "fragmented" else kind


def is_page_fault(event: LogEvent) -> bool:
    """Nothing was asked for: a page fault came back with an error, and until 5.15 that called the killer."""
    if event.gfp is None:
        return event.page_fault or bool(event.refused and event.is_bare)
    return int(event.gfp, 16) == 0 and not event.order


def is_blameless(event: LogEvent, found: Judgement | None = None) -> bool:
    """True where a page fault failed though memory was not short: whoever is large did not cause it."""
    return shortage(event, found) == PAGE_FAULT and (found or judgement(event)).state != "short"


def judgement(event: LogEvent) -> Judgement:
    """What the zones say of the request that ended in this event; of a page fault, what they say of any process's."""
    asked = not is_page_fault(event)
    request = PageRequest(
        gfp=event.gfp if asked else None,
        flags=event.flags if asked else None,
        order=max(0, event.order or 0),
        nodemask=event.nodemask,
        mems_allowed=event.mems_allowed,
        last_look=True,
    )
    return judged(event, request, event.page_kib)


def judged(picture: Picture, request: PageRequest, page_kib: int | None = None) -> Judgement:
    """What the zones of a memory report say of a request."""
    return judge(memory.zones(picture), request, page_kib or picture.page_kib or USUAL_PAGE_KIB)


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
        return GLOBAL
    known = event.mems_allowed or "0"  # 4.8 to 4.12 print the allowed nodes where no policy names any
    if event.nodemask not in (None, NO_NODES, known):
        return "mempolicy"
    allowed = nodes_of(event.mems_allowed)
    return "cpuset" if allowed and allowed < event.nodes else GLOBAL
