"""What a command costs, and where control groups that count CPU time are mounted."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from bench.meter import TreeMeter, group_roots, measured

HYBRID = """\
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""


def test_the_second_version_of_control_groups_comes_first() -> None:
    assert group_roots(HYBRID) == [Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/cpu,cpuacct")]
    assert group_roots("tmpfs /tmp tmpfs rw 0 0\n") == []


def test_a_command_is_measured(tmp_path: Path) -> None:
    work = "import sys; sys.stderr.write('said'); held = b'x' * (64 << 20); sum(range(1_000_000))"
    cost = measured([sys.executable, "-c", work], tmp_path / "output")
    assert (tmp_path / "output").read_text() == "said"
    assert cost.memory > 64 << 20
    assert 0.005 < cost.cpu <= cost.wall * (os.cpu_count() or 1) + 0.05


def test_a_status_that_means_well_is_no_failure(tmp_path: Path) -> None:
    measured(["sh", "-c", "exit 8"], tmp_path / "output", well=(0, 8))
    with pytest.raises(SystemExit, match=r"ended with 8:\nwhy"):
        measured(["sh", "-c", "echo why; exit 8"], tmp_path / "output")


def test_the_times_of_a_process_and_of_what_it_reaped_are_counted() -> None:
    meter = TreeMeter([os.getpid()])
    before = meter.seconds()
    own = os.times()
    while sum(os.times()[:2]) - sum(own[:2]) < 0.05:
        sum(range(10_000))
    assert 0.03 <= meter.seconds() - before < 5
