"""Each scenario really is the state it says, by the kernel's own numbers and without the product."""

import time
from collections.abc import Callable

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure, stalls, unusable_index, vmstat
from tests.kernel.lab.scenario import names
from tests.kernel.lab.waiting import wait_until

EnterScenario = Callable[[str], Guest]
SHORTAGE_PERCENT = 5
HEADROOM_PERCENT = 20
CLOCK_SECONDS = 10


def _restart(guest: Guest, unit: str) -> None:
    guest.check(f"systemctl restart {unit}", seconds=120)


def test_the_list_of_scenarios() -> None:
    assert {"cache_full_healthy", "fragmentation", "idle_healthy", "leaking_service", "refilling_service"} <= set(
        names()
    )


def test_users_differ_in_what_they_may_do(guest_in: EnterScenario) -> None:
    guest = guest_in("idle_healthy")
    assert guest.check("id -u").strip() == "0"
    assert guest.check("sudo -n id -u", user="ops").strip() == "0"
    assert guest.check("id -un", user="plain").strip() == "plain"
    assert guest.run("sudo -n true", user="plain").status != 0


def test_guests_are_fresh_and_two_run_at_a_time(guest_in: EnterScenario) -> None:
    first, second = guest_in("idle_healthy"), guest_in("idle_healthy")
    first.write("/root/mark", "first")
    assert second.run("test -e /root/mark").status != 0
    assert first.address.port != second.address.port


def test_idle_is_healthy_and_its_clock_is_right(guest_in: EnterScenario) -> None:
    guest = guest_in("idle_healthy")
    seen = vmstat(guest)
    assert available_percent(guest) > HEADROOM_PERCENT
    assert (seen["oom_kill"], stalls(seen), seen["pswpout"]) == (0, 0, 0)
    assert not guest.check("systemctl --failed --no-legend").strip()
    assert abs(float(guest.check("date +%s.%N")) - time.time()) < CLOCK_SECONDS


def test_swap_can_be_switched_on(guest_in: EnterScenario) -> None:
    guest = guest_in("idle_healthy")
    guest.enable_swap()
    assert meminfo(guest)["SwapTotal"] > 500 * 1024


def test_cache_full_is_healthy(guest_in: EnterScenario) -> None:
    guest = guest_in("cache_full_healthy")
    memory, before = meminfo(guest), vmstat(guest)
    assert memory["MemFree"] < memory["MemTotal"] * 0.08
    assert memory["MemAvailable"] > memory["MemTotal"] * 0.6
    assert memory["Cached"] > memory["MemTotal"] * 0.6
    after = vmstat(guest)
    assert (stalls(after), after["oom_kill"]) == (stalls(before), 0)


def test_fragmentation_is_cured_by_compaction(guest_in: EnterScenario) -> None:
    guest = guest_in("fragmentation")
    memory = meminfo(guest)
    assert memory["MemFree"] > memory["MemTotal"] * HEADROOM_PERCENT / 100
    assert unusable_index(guest) >= 0.9
    refused = vmstat(guest)["thp_fault_fallback"]
    wait_until(lambda: vmstat(guest)["thp_fault_fallback"] > refused, seconds=30, what="huge pages are refused")
    guest.check("echo 1 >/proc/sys/vm/compact_memory", seconds=120)
    assert unusable_index(guest) < 0.7
    assert meminfo(guest)["MemFree"] > memory["MemTotal"] * HEADROOM_PERCENT / 100


def test_leaking_service_is_down_and_can_be_brought_back(guest_in: EnterScenario) -> None:
    guest = guest_in("leaking_service")
    assert guest.check("systemctl show --value -p ActiveState -p Result leaky").split() == ["oom-kill", "failed"]
    assert vmstat(guest)["oom_kill"] == 1
    log = guest.check("dmesg")
    assert "constraint=CONSTRAINT_NONE" in log
    assert "task_memcg=/system.slice/leaky.service,task=leak," in log
    guest.check("systemctl reset-failed leaky && systemctl start leaky")
    wait_until(lambda: guest.run("pgrep -x leak").status == 0, seconds=20, what="the service is back")
    assert available_percent(guest) > HEADROOM_PERCENT


def test_refilling_service_is_short_again_after_a_restart(guest_in: EnterScenario) -> None:
    guest = guest_in("refilling_service")
    assert available_percent(guest) < SHORTAGE_PERCENT
    before = vmstat(guest)
    wait_until(lambda: stalls(vmstat(guest)) > stalls(before), seconds=30, what="processes reclaim memory themselves")
    assert pressure(guest)["some"] > 0
    _restart(guest, "refill.service")
    wait_until(lambda: available_percent(guest) < SHORTAGE_PERCENT, seconds=60, what="the memory is taken again")
    assert vmstat(guest)["oom_kill"] == 0
