"""Each scenario really is the state it says, by the kernel's own numbers and without the product."""

import time
from collections.abc import Callable

import pytest
from tests.kernel.lab.configuration import CGROUP_V1, MAIN, NO_PSI, Configuration
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure, stalls, vmstat
from tests.kernel.lab.scenario import named, names

EnterScenario = Callable[..., Guest]
USAGE_V1 = "/sys/fs/cgroup/memory/system.slice/memory.usage_in_bytes"
USAGE_V2 = "/sys/fs/cgroup/system.slice/memory.current"
HEADROOM_PERCENT = 20
CLOCK_SECONDS = 10


@pytest.mark.parametrize("name", names())
def test_each_scenario_has_a_truth_that_says_something(name: str) -> None:
    scenario = named(name)
    assert scenario.name == name
    assert scenario.truth.healthy != bool(scenario.truth.runbook)
    assert scenario.truth.healthy == name.endswith("_healthy")
    assert scenario.truth.healthy or scenario.truth.checks or scenario.truth.incident


@pytest.mark.parametrize(
    ("configuration", "averages", "there", "elsewhere"),
    [(MAIN, {"some", "full"}, USAGE_V2, USAGE_V1), (NO_PSI, set(), USAGE_V2, USAGE_V1),
     (CGROUP_V1, {"some", "full"}, USAGE_V1, USAGE_V2)],
)  # fmt: skip
def test_a_configuration_is_what_it_says(
    guest_in: EnterScenario, configuration: Configuration, averages: set[str], there: str, elsewhere: str
) -> None:
    guest = guest_in("idle_healthy", configuration)
    assert set(pressure(guest)) == averages
    assert guest.run(f"test -e {there}").status == 0
    assert guest.run(f"test -e {elsewhere}").status != 0


def test_guests_are_fresh_and_two_run_at_a_time(guest_in: EnterScenario) -> None:
    first, second = guest_in("idle_healthy"), guest_in("idle_healthy")
    first.write("/root/mark", "first")
    assert second.run("test -e /root/mark").status != 0
    assert first.address.port != second.address.port


def test_an_idle_guest_has_its_users_its_clock_and_a_swap_disk(guest_in: EnterScenario) -> None:
    guest = guest_in("idle_healthy")
    seen = vmstat(guest)
    assert available_percent(guest) > HEADROOM_PERCENT
    assert (seen["oom_kill"], stalls(seen), seen["pswpout"]) == (0, 0, 0)
    assert not guest.check("systemctl --failed --no-legend").strip()
    assert abs(float(guest.check("date +%s.%N")) - time.time()) < CLOCK_SECONDS
    assert guest.check("id -u").strip() == "0"
    assert guest.check("sudo -n id -u", user="ops").strip() == "0"
    assert guest.check("id -un", user="plain").strip() == "plain"
    assert guest.run("sudo -n true", user="plain").status != 0
    guest.enable_swap()
    assert meminfo(guest)["SwapTotal"] > 500 * 1024
