"""Readings of live hosts are kept, once a command; recordings are not; what goes wrong is said and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.app.looking_back import LookBackArguments, look_back
from memrunbook.app.notice import Notice
from memrunbook.app.remembering import Remembering, kept_as
from memrunbook.app.stored import Stored
from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host, HostIdentity
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.documents.config import Config
from memrunbook.documents.library import Library
from memrunbook.facts.vmstat import VmstatReading
from memrunbook.runtime.clock import SystemClock
from memrunbook.state.history import FILE

HOST = Host("web")


class Heard(Notice):
    def __init__(self) -> None:
        self.said: list[str] = []

    def remark(self, words: str, hint: str) -> None:
        self.said.append(f"{words}; {hint}")


def read(host: str = "web", kills: int = 3) -> Snapshot:
    identity = HostIdentity(machine_id=f"m-{host}", boot_id="b")
    return Snapshot(host, identity, SystemClock().now(), {"vmstat": VmstatReading(oom_kills=kills)})


def known(state: Path, *metrics: str, hosts: tuple[str, ...] = ("web",), holder: str = "") -> list[list[float]]:
    library = Library((), None, None, None)
    found = look_back(LookBackArguments(hosts=hosts, metrics=metrics, holder=holder, state=state, library=library))
    return [[point.value for series in host.series for point in series.points] for host in found]


def test_the_first_reading_of_each_host_is_kept(tmp_path: Path) -> None:
    remembering, heard = Remembering(), Heard()
    for kills in (3, 4):
        remembering.note(HOST, read(kills=kills))
    remembering.note(Host("db"), read("db"))
    remembering.note(Host("gone"), None)
    remembering.write(Stored(tmp_path / "state"), heard)
    assert known(tmp_path / "state", hosts=()) == [[3.0], [3.0]]
    assert known(tmp_path / "state", "vmstat", hosts=("web", "gone")) == [[3.0], []]
    assert heard.said == []


def test_two_machines_with_one_machine_id_are_told(tmp_path: Path) -> None:
    remembering, heard = Remembering(), Heard()
    for name in ("web1", "web2"):
        identity = HostIdentity(machine_id="m", boot_id=f"boot of {name}")
        snapshot = Snapshot(name, identity, SystemClock().now(), {"vmstat": VmstatReading(oom_kills=len(name))})
        remembering.note(Host(name), snapshot)
    remembering.write(Stored(tmp_path / "state"), heard)
    (said,) = heard.said
    assert said.startswith("web2 and web1 have the same machine-id and are two machines")
    assert known(tmp_path / "state", hosts=("web1", "web2")) == [[4.0], [4.0]]


def test_recordings_and_what_is_not_wanted_leave_nothing(tmp_path: Path) -> None:
    for remembering, host, config in (
        (Remembering(wanted=False), HOST, Config()),
        (Remembering(), Host("web", transport="replay"), Config()),
        (Remembering(), HOST, Config(history=None)),
    ):
        remembering.note(host, read())
        remembering.write(Stored(tmp_path, config), Heard())
    assert not (tmp_path / FILE).exists()
    assert known(tmp_path) == [[]]


def test_this_machine_goes_by_the_name_of_the_control_node(tmp_path: Path) -> None:
    remembering = Remembering()
    remembering.note(Host("local", transport="local"), read())
    remembering.write(Stored(tmp_path), Heard())
    assert known(tmp_path, hosts=("local",)) == known(tmp_path, hosts=(kept_as("local"),)) == [[3.0]]


def test_a_history_that_cannot_be_written_is_only_said(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    remembering, heard = Remembering(), Heard()
    remembering.note(HOST, read())
    remembering.write(Stored(tmp_path), heard)
    assert "not kept in the history" in heard.said[0]


def test_a_broken_one_is_set_aside_and_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"broken" * 999)
    remembering, heard = Remembering(), Heard()
    remembering.note(HOST, read())
    remembering.write(Stored(tmp_path), heard)
    assert "begins anew" in heard.said[0]
    assert known(tmp_path) == [[3.0]]


def test_a_metric_that_is_not_kept_and_a_holder_that_is_not_known_are_refused(tmp_path: Path) -> None:
    remembering = Remembering()
    remembering.note(HOST, read())
    remembering.write(Stored(tmp_path), Heard())
    with pytest.raises(UsageError, match="no figure 'swapp' is kept"):
        known(tmp_path, "swapp")
    with pytest.raises(UsageError, match="nothing is known of 'api'"):
        known(tmp_path, holder="api")
