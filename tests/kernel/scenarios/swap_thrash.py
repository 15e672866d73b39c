"""A service works at random on more memory than there is, so that swap is read and written all the time."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import meminfo, rates, touched_share
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "worker.service"
SETTINGS = "/etc/default/worker"
BEYOND_MIB = 150
SMALL_MIB = 64
TRAFFIC_KIB = 1024
PAGE_KIB = 4
FILLED = 0.98


def overwork(guest: Guest, beyond_mib: int, *settings: str) -> None:
    """Start the worker on so much more memory than is available; from its second start on it fits: a restart cures."""
    guest.install("wander")
    too_much = meminfo(guest)["MemAvailable"] // 1024 + beyond_mib
    guest.write(SETTINGS, f"MIB={too_much}\n")
    guest.start_service(
        "worker", "/usr/local/bin/wander -m $MIB", f"EnvironmentFile={SETTINGS}", "Restart=no", *settings
    )
    guest.write(SETTINGS, f"MIB={SMALL_MIB}\n")


def swaps(guest: Guest, seen: dict[str, float]) -> bool:
    """Tell by the rates *seen* whether the worker, having touched all its memory, goes in and out of swap."""
    traffic_kib = min(seen["pswpin"], seen["pswpout"]) * PAGE_KIB
    return traffic_kib >= TRAFFIC_KIB and touched_share(guest, UNIT) >= FILLED


def _prepare(guest: Guest) -> None:
    guest.enable_swap()
    overwork(guest, BEYOND_MIB)


def _reached(guest: Guest) -> bool:
    return swaps(guest, rates(guest))


SCENARIO = Scenario(
    "swap_thrash",
    f"{UNIT} needs more than the memory and swaps in and out without end",
    _prepare,
    _reached,
    Truth(
        "swap-thrashing",
        checks=("thrashing",),
        cause=UNIT,
        beside=("memory-shortage",),
        allowed=("memory-shortage.low", "memory-shortage.starving", "memory-shortage.stalled"),
    ),
)
