from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from memrunbook.actions import cycle_swap
from memrunbook.core.errors import UsageError
from memrunbook.documents.systemd_units import of_a_team, units

WORDS = ["/usr/bin/runbook", "schedule", "run", "--config-dir", "/etc/my files"]
GOAL = 2.5


@pytest.mark.parametrize("timer", [False, True])
def test_a_teams_state_directory_stays_one(*, timer: bool) -> None:
    """systemd gives it its mode at each start, and what a team makes in it hands its group on."""
    alone = units(WORDS, "ops", timer=timer)
    shared = of_a_team(alone)
    assert list(shared) == list(alone)
    lines = [set(one["memrunbook.service"].splitlines()) for one in (alone, shared)]
    assert lines[0] - lines[1] == {"StateDirectoryMode=0700", "RestrictSUIDSGID=yes"}
    assert lines[1] - lines[0] == {"StateDirectoryMode=3770"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
@pytest.mark.parametrize("timer", [False, True])
@pytest.mark.parametrize(("made", "told"), [(dict, " says 1.5."), (of_a_team, "is left out: 1.7)")])
def test_the_service_is_confined_as_far_as_the_docs_say(tmp_path: Path, made: Any, told: str, *, timer: bool) -> None:
    path = tmp_path / "memrunbook.service"
    written = Path("/var/lib/prometheus/node-exporter")
    path.write_text(made(units(WORDS, "ops", timer=timer, written=written))["memrunbook.service"], "utf-8")
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd-analyze judges no file")
    found = re.search(r"exposure level for memrunbook\.service: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= GOAL
    assert timer or found[1] in told
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "schedule.md").read_text("utf-8")
    assert told in " ".join(page.split())


def test_what_is_typed_is_quoted_and_no_specifier() -> None:
    text = units(["/x/runbook", "a b", "100%", "$HOME"], "ops", agent="/run/agent")["memrunbook.service"]
    assert "ExecStart=/x/runbook 'a b' 100%% '$$HOME'\n" in text
    assert 'Environment="SSH_AUTH_SOCK=/run/agent"\n' in text
    assert "Type=notify" in text
    assert "TimeoutStartSec=10min\n" in text, "systemd's own 90 s are too short for a slow node with a far store"


def test_the_folder_of_the_figures_is_the_only_other_one_that_it_may_write_to() -> None:
    text = units(WORDS, "ops", written=Path('/srv/my "100%" figures'))["memrunbook.service"]
    assert 'ReadWritePaths="-/srv/my \\"100%%\\" figures"\n' in text
    assert "ReadWritePaths" not in units(WORDS, "ops")["memrunbook.service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_systemd_understands_the_folder_of_the_figures(tmp_path: Path) -> None:
    program = tmp_path / "runbook"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = tmp_path / "memrunbook.service"
    path.write_text(units([str(program)], "root", written=Path("/srv/my figures"))["memrunbook.service"], "utf-8")
    words = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(path)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if "unrecognized" in done.stderr:
        pytest.skip("this systemd-analyze is too old for that")
    assert not [line for line in done.stderr.splitlines() if "memrunbook.service" in line], done.stderr


def test_a_timer_starts_what_looks_once() -> None:
    found = units(WORDS, "ops", timer=True)
    assert list(found) == ["memrunbook.service", "memrunbook.timer"]
    assert "--once" in found["memrunbook.service"]
    assert "[Install]" not in found["memrunbook.service"]
    assert "WantedBy=timers.target" in found["memrunbook.timer"]


@pytest.mark.parametrize("timer", [False, True])
def test_what_is_under_way_is_not_killed_by_a_time_of_systemds(*, timer: bool) -> None:
    """A firing may take longer than systemd waits for a start (90 s), and a step than it waits for a stop."""
    text = units(WORDS, "ops", timer=timer)["memrunbook.service"]
    assert ("TimeoutStartSec=infinity\n" in text) == timer
    stop = re.search(r"^TimeoutStopSec=(\d+)min$", text, re.MULTILINE)
    assert stop is not None
    assert int(stop[1]) * 60 > cycle_swap.WAIT + 90
    assert "KillMode=mixed\n" in text


def test_no_word_begins_another_line_of_a_unit_or_is_read_as_something_else() -> None:
    text = units(["/x/runbook"], "ops", agent='/run/my "agent" %U')["memrunbook.service"]
    assert 'Environment="SSH_AUTH_SOCK=/run/my \\"agent\\" %%U"\n' in text, "a blank would end it, %U be a user"
    for user, agent in (("ops\nExecStartPre=/bin/evil", ""), ("ops", "/a\nExecStartPre=/bin/evil")):
        with pytest.raises(UsageError, match="characters in it that no name has"):
            units(["/x/runbook"], user, agent=agent)
