"""A leaking service took the whole host's memory twice, was OOM-killed and restarted each time, and leaks on slowly."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, vmstat
from tests.kernel.lab.scenario import Scenario, Truth
from tests.kernel.lab.waiting import wait_until

UNIT = "leaky.service"
SETTINGS = "/etc/default/leaky"
KILLS = 2
HEADROOM_PERCENT = 60


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.write(SETTINGS, "LEAK=-r 262144\n")
    guest.start_service("leaky", "/usr/local/bin/leak $LEAK", f"EnvironmentFile={SETTINGS}", "Restart=always")
    wait_until(lambda: vmstat(guest)["oom_kill"] >= KILLS, seconds=180, what=f"{KILLS} kills")
    # The next one is minutes away: the state holds as long as a test looks at it.
    guest.write(SETTINGS, "LEAK=-f 32 -r 512\n")


def _reached(guest: Guest) -> bool:
    shown = guest.check(f"systemctl show --value --property=ActiveState --property=NRestarts {UNIT}").split()
    restarted = "active" in shown and str(vmstat(guest)["oom_kill"]) in shown
    return restarted and available_percent(guest) > HEADROOM_PERCENT


SCENARIO = Scenario(
    "leaking_restarts",
    f"{UNIT} was OOM-killed again and again, is up and leaks on",
    _prepare,
    _reached,
    Truth(
        "oom-event",
        checks=("happened", "repeat"),
        cause=UNIT,
        beside=("memory-leak",),
        allowed=("preventive-maintenance.repeat",),
    ),
)
