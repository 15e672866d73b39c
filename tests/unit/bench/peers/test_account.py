"""What the kernel's account adds: processes that are started, and the peak of a group."""

from __future__ import annotations

import struct
from math import isnan
from pathlib import Path

from bench.peers.account import EVENT_AT, FORKED, Forks, peak_of

EXITED = 0x80000000


def event(what: int, parent: int, child: int, group: int) -> bytes:
    """A message of the connector: headers, what and when, then who."""
    return bytes(EVENT_AT) + struct.pack("=IIQ", what, 0, 0) + struct.pack("=IIII", parent, parent, child, group)


def test_processes_of_the_hosts_are_counted_down_to_the_last() -> None:
    forks = Forks([10])
    for one in (
        event(FORKED, 10, 11, 11),
        event(FORKED, 11, 12, 12),
        event(FORKED, 12, 13, 12),  # a thread
        event(FORKED, 99, 14, 14),  # somebody else's
        event(FORKED, 14, 15, 15),
        event(EXITED, 11, 11, 0),
    ):
        forks.told(one)
    assert forks.count == 2


def test_the_peak_is_found_in_both_versions_of_control_groups(tmp_path: Path) -> None:
    assert isnan(peak_of(tmp_path))
    (tmp_path / "memory.max_usage_in_bytes").write_text("4096\n")
    assert peak_of(tmp_path) == 4096.0
    (tmp_path / "memory.peak").write_text("8192\n")
    assert peak_of(tmp_path) == 8192.0
