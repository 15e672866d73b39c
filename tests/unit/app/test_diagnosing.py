"""Hosts are judged as they are read, and of each only what is wanted is kept."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path

import pytest

from memrunbook.app.diagnosing import DiagnoseArguments, diagnose, diagnose_each
from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.core.plan.headline import headline
from memrunbook.core.plan.judged import Judged

MEMINFO = "MemTotal: 1000 kB\nMemFree: 900 kB\nMemAvailable: 900 kB\n"
CASE = f"@@case begin 5.0\n@@case file /proc/meminfo\n{MEMINFO}@@case end 5.1\n"
NAMES = ("b", "a", "c")


@pytest.fixture
def arguments(tmp_path: Path) -> DiagnoseArguments:
    bundle = tmp_path / "host.replay"
    bundle.write_text(CASE, encoding="utf-8")
    hosts = tuple(Host(name, transport="replay", source=str(bundle)) for name in NAMES)
    return DiagnoseArguments(hosts=hosts, state=tmp_path / "state", quick=True)


def test_every_host_is_judged_and_kept_in_its_order(arguments: DiagnoseArguments) -> None:
    found = diagnose(arguments)
    assert tuple(judged.reached.name for judged in found.hosts) == NAMES
    assert all(judged.diagnosis and judged.diagnosis.host == judged.reached.name for judged in found.hosts)


def test_what_is_not_kept_is_let_go(arguments: DiagnoseArguments) -> None:
    made: list[weakref.ref[Judged]] = []
    turn = threading.Lock()

    def keep(judged: Judged, off: str) -> str:
        assert judged.diagnosis is not None
        assert judged.reached.snapshot is not None
        with turn:
            made.append(weakref.ref(judged))
        return f"{headline(judged).name}{off}"

    assert diagnose_each(arguments, keep).hosts == NAMES
    gc.collect()
    assert len(made) == len(NAMES)
    assert [one() for one in made] == [None] * len(NAMES)


def test_a_host_that_cannot_be_read_is_kept_as_such(arguments: DiagnoseArguments, tmp_path: Path) -> None:
    gone = Host("d", transport="replay", source=str(tmp_path / "none.replay"))
    found = diagnose_each(DiagnoseArguments(hosts=(*arguments.hosts, gone), state=arguments.state, quick=True),
                          lambda judged, _off: judged.reached.error)  # fmt: skip
    assert found.hosts[:3] == (None, None, None)
    assert isinstance(found.hosts[3], UsageError)
