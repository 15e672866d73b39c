"""What is done about a scenario once it was judged, by the scenario's name and its configuration."""

from __future__ import annotations

from collections.abc import Callable

from tests.kernel.case import Case
from tests.kernel.command import Operator
from tests.kernel.footprint import footprint
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent, meminfo, pressure, rates, unusable_index, vmstat
from tests.kernel.lab.scenario import Truth
from tests.kernel.matrix import untold

UNUSABLE = {"unusable(9)": unusable_index}
AVAILABLE = {"MemAvailable in % of MemTotal": available_percent}
KILLS = {"oom_kill of /proc/vmstat": lambda guest: vmstat(guest)["oom_kill"]}


def refaults(guest: Guest) -> float:
    """Pages a second that were evicted and are wanted back, anonymous and of files."""
    seen = rates(guest)
    return seen["workingset_refault_anon"] + seen["workingset_refault_file"]


def full(guest: Guest) -> float:
    """Share of the last 10 s in which all waited for memory, in percent."""
    return pressure(guest)["full"]


THRASHING = {"refaults/s": refaults, "full memory pressure, avg10": full}


def compact(case: Case) -> None:
    """Without root nothing is changed; with it the free memory becomes whole again."""
    _blocked_without_root(case)
    before = unusable_index(case.guest)
    treated = case.run("memory-fragmentation", "--yes", figures=UNUSABLE)
    assert (treated.outcome, treated.status) == ("resolved", 0), treated.host
    assert before - unusable_index(case.guest) >= 0.5
    assert treated.executed == ["capture_evidence", "compact_memory"]


def _blocked_without_root(case: Case) -> None:
    plain = Operator(case.guest, case.operator.folder / "plain", "plain")
    run = plain("run", "memory-fragmentation", "--yes", "--json")
    assert (run.host["outcome"], run.status) == ("unresolved", 3)
    compacting = next(step for step in run.host["steps"] if step["id"] == "compact")
    assert compacting["state"] == "blocked"
    assert compacting["why"] == "changing this host needs root, and the shell is not root"
    assert run.executed() == ["capture_evidence"], "which reads only"
    refused = plain("run", "memory-fragmentation", "--yes", "--json", "--sudo", "always")
    assert (refused.host["outcome"], refused.status) == ("unreachable", 4)
    assert "sudo refused for plain" in refused.host["why"]


def maintain(case: Case) -> None:
    """A fragmented host that is calm is compacted before anybody suffers."""
    treated = case.run("preventive-maintenance", "--yes", figures=UNUSABLE)
    assert (treated.outcome, treated.status) == ("resolved", 0), treated.host
    assert treated.executed == ["compact_memory"]


def bring_back(case: Case) -> None:
    """The victim of the OOM killer is started behind its gate, and once that is done the event is handled."""
    unit = "leaky.service"
    refused = case.run("oom-event")
    assert refused.status == 5
    assert refused.step("start-victim")["state"] == "refused"
    assert refused.executed == ["capture_evidence"]
    assert case.guest.run(f"systemctl is-active {unit}").stdout.strip() == "failed"
    treated = case.run("oom-event", "--allow", f"start_unit:{unit}", figures={**KILLS, **AVAILABLE})
    assert treated.outcome == "resolved", treated.host
    assert treated.executed == ["capture_evidence", "start_unit"]
    assert case.guest.run(f"systemctl is-active {unit}").stdout.strip() == "active"
    again = case.run("oom-event")
    assert again.outcome == "healthy", "a handled event is not acted on again"


def restart_then_stop(case: Case) -> None:
    """A restart does not help a service that takes its memory again, which is said; stopping it does."""
    unit = "refill.service"
    case.policy(f"unit: {unit}, restart: yes")
    failed = case.run("memory-shortage", "--allow", f"restart_unit:{unit}", figures=AVAILABLE)
    assert (failed.outcome, failed.status) == ("refused", 5), "after it, more swap would need consent"
    assert failed.step("restart-hog")["state"] == "failed"
    assert "did not hold" in failed.step("restart-hog")["why"]
    assert failed.executed.count("restart_unit") == 1
    started = case.guest.run(f"journalctl --no-pager -o cat -u {unit} | grep -c '^Started'").stdout.strip()
    assert started == "2", "once by the scenario, once by the runbook"
    case.policy(f"unit: {unit}, restart: no, stop: yes")
    treated = case.run("memory-shortage", "--allow", f"stop_unit:{unit}", figures=AVAILABLE)
    assert treated.outcome == "resolved", treated.host
    assert treated.executed == ["capture_evidence", "stop_unit"]
    assert available_percent(case.guest) > 15


def freeze_then_restart(case: Case) -> None:
    """The thrashing service is contained first; afterwards nothing is wanted back for a minute."""
    footprint(case)
    unit = "worker.service"
    case.policy(f"unit: {unit}, freeze: yes, restart: yes")
    allowed = ("--allow", f"freeze_unit:{unit}", "--allow", f"restart_unit:{unit}")
    treated = case.run("swap-thrashing", *allowed, figures=THRASHING)
    assert treated.outcome == "resolved", treated.host
    assert treated.executed[:3] == ["freeze_unit", "capture_evidence", "restart_unit"]
    for _ in range(6):
        seen = rates(case.guest, seconds=10)
        assert seen["workingset_refault_anon"] + seen["workingset_refault_file"] < 20, seen
        assert full(case.guest) < 5
    before, after = (treated.host["signals"][when] for when in ("before", "after"))
    assert before["swap.in_bytes_per_second"] > 256 * 1024 > after["swap.in_bytes_per_second"]


def hold_back(case: Case) -> None:
    """What a run froze and left frozen is told as held, not as healthy, and the next run goes on from there."""
    unit = "worker.service"
    case.policy(f"unit: {unit}, freeze: yes, restart: yes")
    frozen = case.run("swap-thrashing", "--allow", f"freeze_unit:{unit}")
    assert frozen.outcome not in ("healthy", "resolved"), "what is only held back is not resolved"
    assert "restart_unit" not in frozen.executed, "which would need consent"
    assert frozen.step("freeze-swapper")["state"] == "done"
    assert _freezer(case.guest, unit) == "frozen"
    told = case.operator("diagnose")
    assert told.status != 0, told.out
    assert not told.out.startswith("OK"), told.out
    assert not list(untold(Truth(says=(unit, "frozen")), told.out)), told.out
    again = case.run("swap-thrashing")
    assert again.outcome != "healthy", again.host
    assert again.status != 0
    assert "freeze_unit" not in again.executed, "it is frozen already"
    assert _freezer(case.guest, unit) == "frozen"


def _freezer(guest: Guest, unit: str) -> str:
    return guest.check(f"systemctl show --property=FreezerState --value {unit}").strip()


def spare_everybody(case: Case) -> None:
    """Where no service may be touched and it still faults, it is not called resolved."""
    case.guest.check("sysctl -q vm.swappiness=100")
    units = case.guest.check("ls /etc/systemd/system | grep service$").split()
    case.policy(*(f"unit: {unit}, restart: no, freeze: no, stop: no, limit: no" for unit in units if "@" not in unit))
    treated = case.run("swap-thrashing", "--yes", figures=THRASHING)
    # The last step, compressed swap, waits for consent; below 10 % available it is blocked, and none is left.
    ends = {("refused", 5): "refused", ("unresolved", 3): "blocked"}
    assert treated.step("compress")["state"] == ends[(treated.outcome, treated.status)], treated.host
    assert refaults(case.guest) > 100, "it does still fault"


def stop_the_hoard(case: Case) -> None:
    """The service that filled the swap may be stopped."""
    unit = "hoard.service"
    case.policy(f"unit: {unit}, stop: yes")
    treated = case.run("swap-exhausted", "--allow", f"stop_unit:{unit}", figures=AVAILABLE)
    assert treated.outcome == "resolved", treated.host
    assert treated.executed == ["capture_evidence", "stop_unit"]


def restart_the_leaker(case: Case) -> None:
    """Two minutes tell the leak from the warm-up; the leaking service alone is restarted."""
    unit = "leaker.service"
    treated = case.run("memory-leak", "--allow", f"restart_unit:{unit}", figures=AVAILABLE)
    assert treated.outcome == "resolved", treated.host
    assert treated.executed == ["capture_evidence", "restart_unit"]


def stop_the_writer(case: Case) -> None:
    """Less may pile up, and the writer may be stopped: others get the disk."""
    unit = "importer.service"
    case.policy(f"unit: {unit}, stop: yes")
    waiting = {"full io pressure, avg10": lambda guest: pressure(guest, "io")["full"]}
    treated = case.run("writeback-stall", "--yes", "--allow", f"stop_unit:{unit}", figures=waiting)
    assert treated.outcome == "resolved", treated.host
    assert treated.executed[0] == "capture_evidence"


def more_mappings(case: Case) -> None:
    """The limit that a process has reached is raised, and kept."""
    limit = {"vm.max_map_count": lambda guest: float(guest.check("cat /proc/sys/vm/max_map_count"))}
    treated = case.run("kernel-tuning", "--yes", "-p", "persist=true", figures=limit)
    assert treated.outcome == "resolved", treated.host
    assert treated.step("map-count")["state"] == "done"
    assert treated.executed == ["set_sysctl"]
    assert limit["vm.max_map_count"](case.guest) == 262144


def add_swap(case: Case) -> None:
    """A host without swap gets the swap that suits its memory."""
    size = {"SwapTotal in KiB": lambda guest: meminfo(guest)["SwapTotal"]}
    treated = case.run("swap-capacity", "--allow", "add_swap_file:/swapfile-runbook", figures=size)
    assert treated.outcome == "resolved", treated.host
    assert treated.executed == ["add_swap_file"]


def leave_alone(case: Case) -> None:
    """A healthy guest stays as it is, whatever is run."""
    for name in ("memory-shortage", "swap-thrashing"):
        treated = case.run(name, "--yes")
        assert (treated.outcome, treated.status, treated.executed) == ("healthy", 0, []), treated.host


TREATMENTS: dict[tuple[str, str], Callable[[Case], None]] = {
    ("two_growing", "main"): restart_the_leaker,
    ("refilling_service", "main"): restart_then_stop,
    ("leaking_service", "main"): bring_back,
    ("swap_thrash", "main"): freeze_then_restart,
    ("mixed_thrash", "main"): spare_everybody,
    ("swap_thrash", "no-psi"): hold_back,
    ("swap_exhausted", "main"): stop_the_hoard,
    ("fragmentation", "main"): compact,
    ("dirty_stall", "main"): stop_the_writer,
    ("no_swap", "main"): add_swap,
    ("map_count", "main"): more_mappings,
    ("fragmentation", "no-psi"): maintain,
    ("cache_full_healthy", "main"): leave_alone,
}
"""The longest first, as they are begun in this order, and between them those that mostly wait."""
