"""Two services share the limit of their slice: the one that grows makes the bigger, innocent one die."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, statistics
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.lab.waiting import wait_until

SLICE = "app.slice"
LIMIT_MIB = 160
VICTIM, VICTIM_MIB = "innocent.service", 90
GROWER, GROWN_MIB = "grower.service", 80
HEADROOM_PERCENT = 40
GROUP = f"/sys/fs/cgroup/{SLICE}"


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.write(f"/etc/systemd/system/{SLICE}", f"[Slice]\nMemoryMax={LIMIT_MIB}M\nMemorySwapMax=0\n")
    guest.start_service("innocent", f"/usr/local/bin/leak -f {VICTIM_MIB}", f"Slice={SLICE}", "Restart=no")
    wait_until(lambda: _anonymous_mib(guest, VICTIM) >= VICTIM_MIB, seconds=60, what=f"{VICTIM} has what it needs")
    guest.start_service("grower", f"/usr/local/bin/leak -f 10 -r 16384 -l {GROWN_MIB}", f"Slice={SLICE}", "Restart=no")


def _anonymous_mib(guest: Guest, unit: str) -> int:
    return statistics(guest, f"{GROUP}/{unit}/memory.stat").get("anon", 0) >> 20


def _reached(guest: Guest) -> bool:
    died = guest.run(f"systemctl show --property=Result {VICTIM}").stdout.strip() == "Result=oom-kill"
    of_the_slice = guest.run(f"dmesg | grep -q 'oom-kill:.*oom_memcg=/{SLICE},.*{VICTIM}'").status == 0
    grown = _anonymous_mib(guest, GROWER) >= GROWN_MIB - 2
    return died and of_the_slice and grown and available_percent(guest) > HEADROOM_PERCENT


SCENARIO = Scenario(
    "slice_limit",
    f"{GROWER} grew until {VICTIM} was killed at the limit of {SLICE}",
    _prepare,
    _reached,
    Truth(
        "oom-event",
        checks=("happened", "victim-down", "group-limit"),
        says=(VICTIM, GROWER, SLICE),
        targets=(VICTIM, GROWER, SLICE),
    ),
)
