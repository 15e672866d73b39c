"""The runbook of docs/how-to/worked-runbook.md on a real kernel: 2 of 3 workers are restarted, then it is over."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent

pytestmark = pytest.mark.kernel
PAGE = Path(__file__).parents[2] / "docs/how-to/worked-runbook.md"
BOOK, POLICY = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
HELD_MIB = {"worker@1.service": 90, "worker@2.service": 110, "worker@3.service": 100}
AFTER_MIB = 16
SMALL = ("-p", "most=64MiB", "-p", "least=50", "--json")


def start(guest: Guest) -> None:
    """Workers that hold much, and little after a restart."""
    guest.install("leak")
    for unit, held in HELD_MIB.items():
        settings = f"/etc/default/{unit.removesuffix('.service')}"
        guest.write(settings, f"HELD={held}\n")
        command = "/usr/local/bin/leak -f $HELD"
        guest.start_service(unit.removesuffix(".service"), command, f"EnvironmentFile={settings}")
        guest.write(settings, f"HELD={AFTER_MIB}\n")


def lives(guest: Guest) -> dict[str, str]:
    return {unit: guest.check(f"systemctl show --property=InvocationID --value {unit}").strip() for unit in HELD_MIB}


def test_as_many_workers_as_needed_are_restarted_the_fattest_first(
    guest_in: Callable[[str], Guest], tmp_path: Path
) -> None:
    guest = guest_in("idle_healthy")
    start(guest)
    operator, first = Operator(guest, tmp_path), lives(guest)
    (tmp_path / "fat-workers.yaml").write_text(BOOK)
    (tmp_path / "services.yaml").write_text(POLICY)
    book = str(tmp_path / "fat-workers.yaml")

    refused = operator("run", book, *SMALL)
    assert (refused.status, refused.host["outcome"]) == (5, "refused"), refused
    assert lives(guest) == first

    allowed = [word for unit in HELD_MIB for word in ("--allow", f"restart_unit:{unit}")]
    ran = operator("run", book, *SMALL, *allowed)
    assert (ran.status, ran.host["outcome"]) == (0, "resolved"), ran
    assert ran.executed() == ["capture_evidence", "restart_unit", "restart_unit"]
    anew = {unit for unit, life in lives(guest).items() if life != first[unit]}
    assert anew == {"worker@2.service", "worker@3.service"}, "the third was not needed"
    assert available_percent(guest) > 50
    assert operator.intact()

    again = operator("run", book, *SMALL, *allowed)
    assert again.host["outcome"] == "healthy", again
