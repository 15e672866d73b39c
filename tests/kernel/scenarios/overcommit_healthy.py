"""Strict overcommit with plenty of room: three fifths of the limit are promised, nothing is refused."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo
from tests.kernel.lab.scenario import Scenario

RATIO = 80
LEAVE_PERCENT = 40
LEAST_PERCENT, MOST_PERCENT = 55, 65
ENOUGH_PERCENT = 60


def _prepare(guest: Guest) -> None:
    guest.install("commit")
    guest.check(f"sysctl -q vm.overcommit_ratio={RATIO} vm.overcommit_memory=2")
    leave_mib = meminfo(guest)["CommitLimit"] * LEAVE_PERCENT // 100 // 1024
    guest.start_service("planner", f"/usr/local/bin/commit {leave_mib} 0")


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    committed = LEAST_PERCENT < 100 * memory["Committed_AS"] / memory["CommitLimit"] < MOST_PERCENT
    refused = guest.run("dmesg | grep -q __vm_enough_memory").status == 0
    return committed and not refused and available_percent(guest) > ENOUGH_PERCENT


SCENARIO = Scenario("overcommit_healthy", "strict overcommit with two fifths of its limit left", _prepare, _reached)
