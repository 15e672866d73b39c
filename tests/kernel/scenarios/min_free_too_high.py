"""A guest with memory enough for its load, but vm.min_free_kbytes forbids the use of half of it."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure
from tests.kernel.lab.scenario import Scenario, Truth

RESERVE_PERCENT = 40
LEAVE_MIB = 20
SHORTAGE_PERCENT = 5
PRESSURE_PERCENT = 10
_READ = "/bin/sh -c 'while :; do cat /var/tmp/big >/dev/null; done'"


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    memory = meminfo(guest)
    reserve = memory["MemTotal"] * RESERVE_PERCENT // 100
    guest.check(f"sysctl -q vm.min_free_kbytes={reserve}")
    # Once woken, kswapd frees half as much again as the reserve; to that the load comes near.
    usable = memory["MemFree"] + memory["Active(file)"] + memory["Inactive(file)"] - reserve * 3 // 2
    guest.start_service("worker", f"/usr/local/bin/leak -f {usable // 1024 - LEAVE_MIB}")
    # A hole reads as zeros: pages come as fast as a good disk delivers them. A second reader would stop the guest.
    guest.check("truncate --size=1G /var/tmp/big")
    guest.start_service("reader", _READ)


def _reached(guest: Guest) -> bool:
    memory = meminfo(guest)
    kept_back = 100 * memory["MemFree"] / memory["MemTotal"] > RESERVE_PERCENT
    short = kept_back and available_percent(guest) < SHORTAGE_PERCENT
    return short and pressure(guest)["some"] >= PRESSURE_PERCENT


SCENARIO = Scenario(
    "min_free_too_high",
    f"vm.min_free_kbytes holds {RESERVE_PERCENT} % of the memory back and programs wait for the rest",
    _prepare,
    _reached,
    Truth(
        "memory-shortage",
        checks=("starving", "reserve-too-big"),
        cause="vm.min_free_kbytes",
        beside=("kernel-tuning", "swap-capacity"),
        allowed=(
            "kernel-tuning.min-free-high",
            "memory-shortage.low",
            "memory-shortage.stalled",
            "swap-capacity.no-swap-short",
        ),
    ),
)
