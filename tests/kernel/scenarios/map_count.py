"""A process has as many mappings as vm.max_map_count allows and is refused more."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.scenario import Scenario, Truth

LIMIT = 12_000
REACHED_PERCENT = 95
HEAP_MIB = 96
UNIT = "searchd.service"


def _prepare(guest: Guest) -> None:
    guest.install("maps")
    guest.check(f"sysctl -q vm.max_map_count={LIMIT}")
    guest.start_service("searchd", f"/usr/local/bin/maps {HEAP_MIB}")


def _reached(guest: Guest) -> bool:
    pid = guest.check(f"systemctl show --value --property=MainPID {UNIT}").strip()
    return 100 * int(guest.check(f"wc -l </proc/{pid}/maps")) / LIMIT >= REACHED_PERCENT


SCENARIO = Scenario(
    "map_count",
    f"{UNIT} is at vm.max_map_count={LIMIT}",
    _prepare,
    _reached,
    Truth("kernel-tuning", checks=("map-count-reached",), cause="maps"),
)
