"""A service that nobody may kill stands at its MemoryMax: its page faults fail and are tried again without end.

The kernel calls its OOM killer again and again, which finds nobody, and says that VM_FAULT_OOM leaked out. On the host
there is plenty.
"""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, statistics, vmstat
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "ledger.service"
LIMIT_MIB, WANTED_MIB = 64, 96
FAILURES = 20
HEADROOM_PERCENT = 50
EVENTS = f"/sys/fs/cgroup/system.slice/{UNIT}/memory.events"


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    limits = (f"MemoryMax={LIMIT_MIB}M", "MemorySwapMax=0", "OOMScoreAdjust=-1000", "CPUQuota=20%")
    guest.start_service("ledger", f"/usr/local/bin/leak -f {WANTED_MIB}", *limits)


def _reached(guest: Guest) -> bool:
    leaked = guest.run("dmesg | grep -q 'Huh VM_FAULT_OOM leaked out'").status == 0
    failed = statistics(guest, EVENTS).get("oom", 0) >= FAILURES
    return leaked and failed and vmstat(guest)["oom_kill"] == 0 and available_percent(guest) > HEADROOM_PERCENT


SCENARIO = Scenario(
    "unkillable_at_limit",
    f"{UNIT} has oom_score_adj -1000 and spins at its MemoryMax of {LIMIT_MIB} MiB",
    _prepare,
    _reached,
    Truth(
        "oom-event",
        checks=("nobody",),
        cause=UNIT,
        allowed=("memory-shortage.group-limit", "oom-event.log-lost"),
        says=(UNIT, "-1000"),
        targets=(UNIT,),
    ),
)
