"""Strict overcommit with little room: memory is free, yet a service is refused what it asks for."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario, Truth

RATIO = 80
LEAVE_MIB = 14
COMMITTED_PERCENT = 95
ENOUGH_PERCENT = 60


def _prepare(guest: Guest) -> None:
    guest.install("commit")
    guest.check(f"sysctl -q vm.overcommit_ratio={RATIO} vm.overcommit_memory=2")
    guest.start_service("planner", f"/usr/local/bin/commit {LEAVE_MIB}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    committed = 100 * memory["Committed_AS"] / memory["CommitLimit"] >= COMMITTED_PERCENT
    refused = guest.run("dmesg | grep -q -e '__vm_enough_memory.*comm: commit'").status == 0
    return committed and refused and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario(
    "strict_overcommit",
    "vm.overcommit_memory=2 refuses memory that is there",
    _prepare,
    _reached,
    Truth(
        "kernel-tuning", checks=("overcommit-limit",), cause="vm.overcommit", allowed=("kernel-tuning.overcommit-near",)
    ),
)
