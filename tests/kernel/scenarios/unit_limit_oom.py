"""A service grew into its own MemoryMax and was killed there, on a host that has plenty; started again it fits."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "bounded.service"
SETTINGS = "/etc/default/bounded"
LIMIT_MIB = 96
SMALL_MIB = 32
HEADROOM_PERCENT = 50


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.write(SETTINGS, "LEAK=-f 64 -r 32768\n")
    limits = (f"MemoryMax={LIMIT_MIB}M", "MemorySwapMax=0")
    guest.start_service("bounded", "/usr/local/bin/leak $LEAK", f"EnvironmentFile={SETTINGS}", "Restart=no", *limits)
    guest.write(SETTINGS, f"LEAK=-f {SMALL_MIB}\n")


def _reached(guest: Guest) -> bool:
    killed = guest.run(f"systemctl show --property=Result {UNIT}").stdout.strip() == "Result=oom-kill"
    by_its_limit = "Memory cgroup out of memory" in guest.check("dmesg")
    return killed and by_its_limit and available_percent(guest) > HEADROOM_PERCENT


SCENARIO = Scenario(
    "unit_limit_oom",
    f"{UNIT} was OOM-killed at its MemoryMax while the host has plenty",
    _prepare,
    _reached,
    Truth("oom-event", checks=("happened", "victim-down", "memcg"), cause=UNIT),
)
