"""The kernel's own memory grows without end, charged to no unit: messages that nobody reads, from the root group."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import PAGE_KIB, available_percent, meminfo, rates, slab_kib
from tests.kernel.lab.scenario import Scenario, Truth

CACHE = "kmalloc-cg-1k"
FILL_PERCENT = 28
SLAB_PERCENT = 26
RATE_KIB = 400
"""A second: some 50 MiB while it is looked at."""
ENOUGH_PERCENT = 30


def _prepare(guest: Guest) -> None:
    guest.install("queue")
    fill = meminfo(guest)["MemTotal"] * FILL_PERCENT // 100 // 1024
    own = "echo $$ >/sys/fs/cgroup/cgroup.procs"  # the root group, to which nothing is charged
    leak = f"exec setsid /usr/local/bin/queue {fill} {RATE_KIB}"
    guest.check(f"sh -c '{own}; {leak}' </dev/null >/dev/null 2>&1 &")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    level = 100 * memory["SUnreclaim"] / memory["MemTotal"] > SLAB_PERCENT
    one = slab_kib(guest, CACHE) > memory["SUnreclaim"] / 2
    grows = rates(guest)["nr_slab_unreclaimable"] * PAGE_KIB > RATE_KIB / 2
    return level and one and grows and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario(
    "slab_leak",
    f"unreclaimable slab holds more than {SLAB_PERCENT} % of the memory and grows by {RATE_KIB} KiB a second",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        incident=False,
        checks=("not-ours",),
        cause=CACHE,
        allowed=("memory-leak.kernel-grows", "preventive-maintenance.kernel-memory"),
        says=(CACHE,),
        targets=(),
    ),
)
