"""Hosts are recorded one by one: each has its file when it has ended, and no more of it is kept in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.app import RecordArguments, record
from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import Notice
from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.transports.shared.bundle import read_bundle

NAMES = ("b", "a", "c")
UNITS = ("payroll-api.service", "payroll-web.service", "payroll-api.service")


@pytest.fixture
def hosts(tmp_path: Path) -> tuple[Host, ...]:
    """Three hosts, the first and the last of which have a service of one name."""
    found = []
    for name, unit in zip(NAMES, UNITS, strict=True):
        case = f"@@case begin 5.0\n@@case walk units\nunit /system.slice/{unit}\ntotal 4096\n@@case end 5.1\n"
        bundle = tmp_path / f"{name}.replay"
        bundle.write_text(case, encoding="utf-8")
        found.append(Host(name, transport="replay", source=str(bundle)))
    return tuple(found)


def units(path: Path) -> str:
    return read_bundle(path)[0].text("units") or ""


class Ending(Notice):
    """What is in the folder when a host has ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[set[str]] = []

    def ended(self, host: str, outcome: object, why: str = "") -> None:
        assert (host, outcome, why) == (NAMES[len(self.seen)], "read", "")
        self.seen.append({path.name for path in self.folder.iterdir()})


def test_each_file_is_there_when_its_host_has_ended(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    notice = Ending(tmp_path / "out")
    found = record(RecordArguments(hosts=hosts, out=tmp_path / "out", connectors=Connectors(forks=1)), notice)
    assert notice.seen == [{"b.txt"}, {"a.txt", "b.txt"}, {"a.txt", "b.txt", "c.txt"}]
    assert [one.reached.name for one in found.hosts] == list(NAMES)
    assert [one.reached.snapshot for one in found.hosts] == [None] * len(NAMES), "it stays in memory"
    for name, unit in zip(NAMES, UNITS, strict=True):
        assert units(tmp_path / "out" / f"{name}.txt") == f"unit /system.slice/{unit}\ntotal 4096\n"


def test_a_name_is_the_same_placeholder_on_all_hosts(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    found = record(RecordArguments(hosts=hosts, out=tmp_path / "out", mask=True, connectors=Connectors(forks=3)))
    assert [one.called for one in found.hosts] == ["host-1", "host-2", "host-3"]
    first, second, third = (units(tmp_path / "out" / f"host-{number}.txt") for number in (1, 2, 3))
    assert first == third != second
    assert {found.names[unit] for unit in UNITS} == {"unit-1.service", "unit-2.service"}
    assert f"unit /system.slice/{found.names[UNITS[0]]}\n" in first


def test_one_host_goes_into_a_folder_where_that_is_asked_for(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    assert record(RecordArguments(hosts=hosts[:1], out=file)).hosts[0].file == file
    assert record(RecordArguments(hosts=hosts[:1], out=folder, folder=True)).hosts[0].file == folder / "b.txt"
    with pytest.raises(UsageError, match="this is a file"):
        record(RecordArguments(hosts=hosts[:1], out=file, folder=True))


def test_a_file_that_cannot_be_written_is_told_and_the_others_are(hosts: tuple[Host, ...], tmp_path: Path) -> None:
    out = tmp_path / "out"

    class InTheWay(Notice):
        def connecting(self, host: str) -> None:
            if host == "a":
                (out / "a.txt").mkdir()

    found = record(RecordArguments(hosts=hosts, out=out, connectors=Connectors(forks=1)), InTheWay())
    assert [one.file and one.file.name for one in found.hosts] == ["b.txt", None, "c.txt"]
    assert "the recording cannot be written" in str(found.hosts[1].error)
