"""Right after an OOM event `diagnose` says of it what `oom-log` says of the saved kernel log: the same block."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest
from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest

pytestmark = pytest.mark.kernel
FIRST = "Killed"


def block(text: str) -> str:
    """What is told of the event, from the line `Killed` to the next empty one, however far it is set in or folded."""
    lines = text.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.split()[:1] == [FIRST]), len(lines))
    return " ".join(" ".join(takewhile(str.strip, lines[begin:])).split())


@pytest.mark.parametrize("scenario", ["leaking_service", "unit_limit_oom"])
def test_diagnose_and_the_saved_log_tell_the_same(
    scenario: str, guest_in: Callable[[str], Guest], tmp_path: Path
) -> None:
    guest = guest_in(scenario)
    operator, log = Operator(guest, tmp_path), tmp_path / "dmesg.txt"
    told = operator("diagnose").out
    log.write_text(guest.check("dmesg"), encoding="utf-8")
    saved = operator("oom-log", str(log), host=False).out
    assert block(saved), saved
    assert block(told) == block(saved), told
