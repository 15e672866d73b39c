"""Each scenario really is the state it says, by the kernel's own numbers and without the product."""

import time
from collections.abc import Callable

import pytest
import yaml
from tests.kernel.lab.configuration import (
    BALLOON,
    CGROUP_V1,
    HIDDEN_BALLOON,
    MAIN,
    NO_PSI,
    NODES,
    TWO_NODES,
    Configuration,
)
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, node_meminfo, pressure, stalls, vmstat
from tests.kernel.lab.scenario import named, names
from tests.kernel.lab.waiting import wait_until
from tests.kernel.matrix import RUNBOOKS
from tests.kernel.scenarios.ballooned import ballooned_mib

EnterScenario = Callable[..., Guest]
USAGE_V1 = "/sys/fs/cgroup/memory/system.slice/memory.usage_in_bytes"
USAGE_V2 = "/sys/fs/cgroup/system.slice/memory.current"
HEADROOM_PERCENT = 20
CLOCK_SECONDS = 10
BALLOON_MIB = 128


@pytest.mark.parametrize("name", names())
def test_each_scenario_has_a_truth_that_says_something(name: str) -> None:
    scenario = named(name)
    assert scenario.name == name
    assert scenario.truth.healthy != bool(scenario.truth.runbook)
    assert scenario.truth.healthy == name.endswith("_healthy")
    assert scenario.truth.healthy or scenario.truth.checks or scenario.truth.incident


@pytest.mark.parametrize("name", names())
def test_what_is_allowed_beside_is_a_check_of_a_shipped_runbook(name: str) -> None:
    truth, shipped = named(name).truth, checks_of_runbooks()
    assert set(truth.allowed) <= shipped
    assert not set(truth.allowed) & {f"{truth.runbook}.{check}" for check in truth.checks}, "that is said already"


def checks_of_runbooks() -> set[str]:
    documents = (yaml.safe_load(path.read_text()) for path in RUNBOOKS.glob("*.yaml"))
    return {f"{document['name']}.{check['id']}" for document in documents for check in document["checks"]}


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


def test_a_guest_with_two_nodes_has_memory_and_a_processor_on_each(guest_in: EnterScenario) -> None:
    guest = guest_in("idle_healthy", TWO_NODES)
    assert guest.check("cat /sys/devices/system/node/node*/cpulist").split() == ["0", "1"]
    assert all(node_meminfo(guest, node)["MemTotal"] > 200 * 1024 for node in NODES)


@pytest.mark.parametrize(("configuration", "hidden"), [(BALLOON, False), (HIDDEN_BALLOON, True)])
def test_a_balloon_takes_memory_away_seen_or_unseen(
    guest_in: EnterScenario, configuration: Configuration, *, hidden: bool
) -> None:
    guest = guest_in("idle_healthy", configuration)
    before = meminfo(guest)
    guest.balloon(configuration.memory_mib - BALLOON_MIB)
    wait_until(lambda: ballooned_mib(guest) == BALLOON_MIB, seconds=60, what="the balloon has it")
    after = meminfo(guest)
    assert before["MemFree"] - after["MemFree"] > BALLOON_MIB * 1024 * 0.9
    assert (before["MemTotal"] == after["MemTotal"]) == hidden


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
