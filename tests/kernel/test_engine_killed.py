"""The engine is killed (SIGKILL) in mid-step on a real kernel with a real systemd: what the host does then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.waiting import wait_until

pytestmark = pytest.mark.kernel
HEAD = """
apiVersion: memrunbook/v1
name: killed
title: A step that is cut off
sample: {count: 2, every: 1s}
checks:
  - {id: always, name: It always applies, when: memory.total_bytes > 0, severity: warning}
incident: checks.always
resolved: {that: memory.total_bytes == 0}
steps:
"""
FOR_A_MINUTE = """
  - id: less
    name: Swap less for a minute
    action: set_sysctl
    with: {key: vm.swappiness, value: 7, for: 60s}
"""
RESTART = """
  - id: again
    name: Restart the service
    action: restart_unit
    with: {unit: slow.service}
"""
SLOW = ("TimeoutStartSec=60", "ExecStartPre=/bin/sleep 12")


def written(folder: Path, steps: str) -> str:
    path = folder / "killed.yaml"
    path.write_text(HEAD + steps)
    return str(path)


def swappiness(guest: Guest) -> int:
    return int(guest.check("cat /proc/sys/vm/swappiness"))


def cut_off_at_seven(operator: Operator, runbook: str) -> None:
    operator.killed(
        "run", runbook, "--yes", "--json", once=lambda: swappiness(operator.guest) == 7, what="swappiness to be set"
    )


def test_the_host_takes_a_value_back_though_the_engine_was_killed_but_not_somebody_elses(
    guest_in: Callable[[str], Guest], tmp_path: Path
) -> None:
    guest = guest_in("idle_healthy")
    operator = Operator(guest, tmp_path)
    before = swappiness(guest)
    runbook = written(tmp_path, FOR_A_MINUTE)
    cut_off_at_seven(operator, runbook)
    assert "less" in operator("runs", host=False).out, "the step in flight is named"
    wait_until(lambda: swappiness(guest) == before, seconds=150, what="the host to take the value back")

    resumed = operator("resume", "last", "--yes", "--no-input")
    assert "Traceback" not in resumed.out + resumed.err
    cut_off_at_seven(operator, runbook)
    guest.check("echo 33 >/proc/sys/vm/swappiness")
    units = "systemctl list-units --all --no-legend 'runbook-*.timer' 'runbook-*.service'"
    wait_until(lambda: not guest.check(units).strip(), seconds=150, what="the timer to have run")
    assert swappiness(guest) == 33, "what somebody else wrote in between is left alone"


def invocation(guest: Guest) -> str:
    return guest.check("systemctl show --property=InvocationID --value slow.service").strip()


def cut_off_in_a_restart(operator: Operator, *words: str) -> str:
    """The id of the run that was killed while the unit was starting again."""
    first = invocation(operator.guest)
    operator.killed("run", *words, once=lambda: invocation(operator.guest) != first, what="the unit to start again")
    for told in (operator("runs", host=False), operator("report", "last", host=False)):
        assert told.status == 7, told.out
        assert "again" in told.out
        assert "outcome unknown" in told.out
    return str(operator("runs", "--json", host=False).document["runs"][0]["run_id"])


def started(guest: Guest) -> bool:
    return guest.check("systemctl is-active slow.service || true").strip() == "active"


@pytest.mark.parametrize("resumed_first", [True, False])
def test_a_restart_that_was_cut_off_happens_once_over_kill_resume_and_a_second_run(
    guest_in: Callable[[str], Guest], tmp_path: Path, *, resumed_first: bool
) -> None:
    guest = guest_in("idle_healthy")
    guest.start_service("slow", "/bin/sleep infinity", *SLOW)
    operator = Operator(guest, tmp_path)
    again = (written(tmp_path, RESTART), "--allow", "restart_unit:slow.service", "--no-input")
    run = cut_off_in_a_restart(operator, *again)
    once = invocation(guest)
    wait_until(lambda: started(guest), seconds=60, what="the unit to have started")

    turns = [("resume", run, "--no-input"), ("run", *again, "--break-lock")]
    for words in turns if resumed_first else reversed(turns):
        ended = operator(*words)
        assert ended.status in (3, 5), ended.out + ended.err
        assert "Traceback" not in ended.out + ended.err
    assert invocation(guest) == once, "it was started again once, by the run that was killed"
    assert operator("runs", host=False).status == 0, "nothing is open"
    assert operator.intact()
