"""Strict overcommit refuses one large request while a tenth of the limit is left, and the kernel logs it."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario, Truth

RATIO = 80
LEAVE_PERCENT = 10
LEAST_PERCENT, MOST_PERCENT = 87, 94
ENOUGH_PERCENT = 60


def _prepare(guest: Guest) -> None:
    guest.install("commit")
    guest.check(f"sysctl -q vm.overcommit_ratio={RATIO} vm.overcommit_memory=2")
    leave_mib = meminfo(guest)["CommitLimit"] * LEAVE_PERCENT // 100 // 1024
    guest.start_service("planner", f"/usr/local/bin/commit {leave_mib}")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    committed = LEAST_PERCENT < 100 * memory["Committed_AS"] / memory["CommitLimit"] < MOST_PERCENT
    refused = guest.run("dmesg | grep -q -e '__vm_enough_memory.*comm: commit'").status == 0
    return committed and refused and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario(
    "overcommit_refused",
    f"vm.overcommit_memory=2 refuses a request with {LEAVE_PERCENT} % of its limit left",
    _prepare,
    _reached,
    Truth("kernel-tuning", checks=("overcommit-limit",), cause="vm.overcommit", says=("commit",)),
)
