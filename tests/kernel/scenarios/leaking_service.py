"""A leaking service was killed by the kernel's global OOM killer and stays down; started again it leaks slowly."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import vmstat
from tests.kernel.lab.scenario import Scenario, Truth

UNIT = "leaky.service"
SETTINGS = "/etc/default/leaky"
FAST = "LEAK=-r 262144\n"
SLOW = "LEAK=-f 16 -r 10 -l 64\n"


def _prepare(guest: Guest) -> None:
    guest.install("leak")
    guest.write(SETTINGS, FAST)
    guest.start_service("leaky", "/usr/local/bin/leak $LEAK", f"EnvironmentFile={SETTINGS}", "Restart=no")
    guest.write(SETTINGS, SLOW)


def _reached(guest: Guest) -> bool:
    # On cgroup v1 systemd sees a signal, not that the OOM killer sent it: Result=oom-kill is v2's.
    return guest.run(f"systemctl is-failed {UNIT}").status == 0 and vmstat(guest)["oom_kill"] > 0


SCENARIO = Scenario(
    "leaking_service",
    f"{UNIT} was OOM-killed and is down",
    _prepare,
    _reached,
    Truth("oom-event", checks=("happened", "victim-down"), cause=UNIT),
)
