"""Each incident on a real kernel: recognised and nothing else, resolved as measured on the guest, journaled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, pressure, rates, unusable_index

pytestmark = pytest.mark.kernel
Enter = Callable[[str], Guest]


def incidents(operator: Operator) -> list[str]:
    """The runbooks that apply, the primary first; the names of its causes are checked by the caller."""
    return [one["runbook"] for one in operator("diagnose", "--json").document["hosts"][0]["incidents"]]


def test_fragmentation_is_compacted(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("fragmentation")
    operator = Operator(guest, tmp_path)
    assert incidents(operator)[0] == "memory-fragmentation"
    before = unusable_index(guest)
    run = operator("run", "memory-fragmentation", "--yes", "--json")
    after = unusable_index(guest)
    assert run.host["outcome"] == "resolved", run.host
    assert run.status == 0
    assert before - after >= 0.5
    assert run.executed() == ["capture_evidence", "compact_memory"]
    assert operator.intact()


def test_an_oom_victim_is_brought_back_behind_its_gate(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("leaking_service")
    operator = Operator(guest, tmp_path)
    found = operator("diagnose", "--json").document["hosts"][0]["incidents"]
    assert [one["runbook"] for one in found] == ["oom-event"]
    assert found[0]["causes"][0]["name"] == "leaky.service"
    refused = operator("run", "oom-event", "--json")
    assert refused.status == 5
    assert refused.states()["start-victim"] == "refused"
    assert refused.executed() == ["capture_evidence"]
    assert guest.run("systemctl is-active leaky.service").stdout.strip() == "failed"
    run = operator("run", "oom-event", "--allow", "start_unit:leaky.service", "--json")
    assert run.host["outcome"] == "resolved", run.host
    assert run.executed() == ["capture_evidence", "start_unit"]
    assert guest.run("systemctl is-active leaky.service").stdout.strip() == "active"
    assert operator.intact()
    again = operator("run", "oom-event", "--json")
    assert again.host["outcome"] == "healthy", "a handled event is not acted on again"


def test_a_service_that_refills_is_restarted_once_and_failed(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("refilling_service")
    operator = Operator(guest, tmp_path)
    (tmp_path / "services.yaml").write_text("services:\n  - {unit: refill.service, restart: yes}\n")
    assert "memory-shortage" in incidents(operator)
    run = operator("run", "memory-shortage", "--allow", "restart_unit:refill.service", "--json")
    assert run.host["outcome"] == "refused", run.host  # after it, more swap would need consent
    assert run.status == 5
    restart = next(step for step in run.host["steps"] if step["id"] == "restart-hog")
    assert restart["state"] == "failed"
    assert "did not hold" in restart["why"]
    assert run.executed().count("restart_unit") == 1
    started = guest.run("journalctl --no-pager -o cat -u refill.service | grep -c '^Started'").stdout.strip()
    assert started == "2", "once by the scenario, once by the runbook"
    assert available_percent(guest) < 15
    assert operator.intact()


def test_a_thrashing_service_is_frozen_first_then_restarted(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("swap_thrash")
    operator = Operator(guest, tmp_path)
    (tmp_path / "services.yaml").write_text("services:\n  - {unit: worker.service, freeze: yes, restart: yes}\n")
    allowed = ("--allow", "freeze_unit:worker.service", "--allow", "restart_unit:worker.service")
    run = operator("run", "swap-thrashing", *allowed, "--json")
    assert run.host["outcome"] == "resolved", run.host
    assert run.executed()[:3] == ["freeze_unit", "capture_evidence", "restart_unit"]
    calm_for_a_minute(guest)
    before, after = (run.host["signals"][when] for when in ("before", "after"))
    assert before["swap.in_bytes_per_second"] > 256 * 1024 > after["swap.in_bytes_per_second"]
    assert operator.intact()


def calm_for_a_minute(guest: Guest) -> None:
    """Nothing that was evicted is wanted back, and full pressure stays below 5 %."""
    for _ in range(6):
        seen = rates(guest, seconds=10)
        assert seen["workingset_refault_anon"] + seen["workingset_refault_file"] < 20, seen
        assert pressure(guest)["full"] < 5


def test_a_mixed_load_that_still_faults_is_not_called_resolved(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("mixed_thrash")
    operator = Operator(guest, tmp_path)
    guest.check("sysctl -q vm.swappiness=100")
    policy = "{restart: no, freeze: no, stop: no, limit: no}"
    units = guest.check("ls /etc/systemd/system | grep service$").split()
    rules = "".join(f"  - {{unit: {unit}, {policy[1:]}\n" for unit in units if "@" not in unit)
    (tmp_path / "services.yaml").write_text(f"services:\n{rules}")
    run = operator("run", "swap-thrashing", "--yes", "--json")
    assert run.host["outcome"] == "refused", run.host  # the last step, compressed swap, waits for consent
    assert run.states()["compress"] == "refused"
    assert run.status == 5
    seen = rates(guest)
    assert seen["workingset_refault_anon"] + seen["workingset_refault_file"] > 100, "it does still fault"
    assert operator.intact()


def test_a_shortage_ends_when_the_dispensable_service_is_stopped(guest_in: Enter, tmp_path: Path) -> None:
    guest = guest_in("refilling_service")
    operator = Operator(guest, tmp_path)
    (tmp_path / "services.yaml").write_text("services:\n  - {unit: refill.service, restart: no, stop: yes}\n")
    run = operator("run", "memory-shortage", "--allow", "stop_unit:refill.service", "--json")
    assert run.host["outcome"] == "resolved", run.host
    assert run.executed() == ["capture_evidence", "stop_unit"]
    assert available_percent(guest) > 15
    assert operator.intact()


def test_a_healthy_host_is_left_alone(guest_in: Enter, tmp_path: Path) -> None:
    """The matrix plans every runbook on every healthy guest; here they are run."""
    operator = Operator(guest_in("cache_full_healthy"), tmp_path)
    for name in ("memory-fragmentation", "memory-shortage", "oom-event", "swap-thrashing"):
        run = operator("run", name, "--yes", "--json")
        assert run.host["outcome"] == "healthy", run.host
        assert run.status == 0
        assert run.executed() == []
    assert operator.intact()
