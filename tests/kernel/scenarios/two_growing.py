"""Two services grow: a cache warms up, faster at first, and is soon full; the other one leaks for ever."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, unit_bytes
from tests.kernel.lab.scenario import Scenario, Truth

LEAKER = "leaker.service"
WARMING = "warming.service"
SETTINGS = "/etc/default/leaker"
LEAK_KIB_PER_SECOND = 512
HELD_MIB = 16
WARM_SECONDS, WARM_MIB, NOISE_MIB = 25, 60, 3
GROWN_BYTES = 3 * 1024**2
HEADROOM_PERCENT = 60


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.install("warm")
    guest.write(SETTINGS, f"LEAK=-r {LEAK_KIB_PER_SECOND}\n")
    guest.start_service("leaker", "/usr/local/bin/leak $LEAK", f"EnvironmentFile={SETTINGS}")
    # From its second start on it leaks no more: a restart cures.
    guest.write(SETTINGS, f"LEAK=-f {HELD_MIB}\n")
    guest.start_service("warming", f"/usr/local/bin/warm {WARM_SECONDS} {WARM_MIB} {NOISE_MIB}")


def _reached(guest: Guest) -> bool:
    both_grew = min(unit_bytes(guest, unit) for unit in (LEAKER, WARMING)) > GROWN_BYTES
    return both_grew and available_percent(guest) > HEADROOM_PERCENT


SCENARIO = Scenario(
    "two_growing",
    f"{LEAKER} leaks and {WARMING} only warms up",
    _prepare,
    _reached,
    Truth("memory-leak", checks=("leaking",), cause=LEAKER, watch="60s", allowed=("memory-leak.soon",)),
)
