"""Transports are found by their names, and a new one is one new file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memrunbook import transports
from memrunbook.app.connectors import Connectors
from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.transports.local import LocalConnector
from memrunbook.transports.openssh import OpensshConnector
from memrunbook.transports.replay import ReplayConnector
from memrunbook.transports.shared.reach import Reach, nobody_listens
from memrunbook.transports.ssh import SshConnector

PIGEON = """
from memrunbook.testing import ScriptedConnector

def way(reach):
    return lambda host: ScriptedConnector(error=RuntimeError(host.name))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(transports, "__path__", [*transports.__path__, str(tmp_path)])
    return tmp_path


def test_those_that_ship_are_found() -> None:
    assert transports.names() == ["local", "openssh", "replay", "ssh"]
    connectors = Connectors()
    assert isinstance(connectors.connector(Host("local", transport="local")), LocalConnector)
    assert isinstance(connectors.connector(Host("x", transport="replay", source="x.replay")), ReplayConnector)
    first, second = (connectors.connector(Host(name)) for name in ("a", "b"))
    assert isinstance(first, SshConnector)
    assert isinstance(second, SshConnector)
    assert first.options is second.options, "files and keys are read once for all hosts"
    assert isinstance(connectors.connector(Host("a", transport="openssh")), OpensshConnector)


@pytest.mark.parametrize("name", ["pigeon", "record", "shared", "../x", ""])
def test_what_is_no_transport_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(UsageError, match="no transport") as caught:
        Connectors().connector(Host("x", transport=name))
    assert caught.value.hint == "there are: local, openssh, replay, ssh"


def test_this_machine_is_never_taken_for_another() -> None:
    with pytest.raises(UsageError, match="only this machine") as caught:
        Connectors().check([Host("db7", transport="local")])
    assert caught.value.hint == "--host local"
    with pytest.raises(UsageError, match="named by its file"):
        Connectors().check([Host("db7", transport="replay")])


def test_many_threads_that_begin_at_once_share_one_way() -> None:
    connectors = Connectors()
    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(lambda number: connectors.connector(Host(f"h{number}")), range(60)))
    assert len({id(one.options) for one in found if isinstance(one, SshConnector)}) == 1


def test_a_new_file_is_a_new_transport(folder: Path) -> None:
    (folder / "pigeon.py").write_text(PIGEON, encoding="utf-8")
    with pytest.raises(RuntimeError, match="db7"):
        Connectors().connector(Host("db7", transport="pigeon")).connect()


def test_little_patience_shortens_every_wait_and_much_lengthens_none_but_the_slow_ones() -> None:
    hasty = Connectors(Reach(patience=5.0)).connector(Host("a"))
    patient = Connectors(Reach(patience=300.0)).connector(Host("a"))
    assert isinstance(hasty, SshConnector)
    assert isinstance(patient, SshConnector)
    assert (hasty.options.timeouts.tcp, hasty.options.timeouts.banner, hasty.options.patience) == (5.0, 5.0, 5.0)
    assert (patient.options.timeouts.banner, patient.options.patience) == (20.0, 300.0)


def test_nobody_need_listen() -> None:
    nobody_listens("db7", "no banner", 3.0)
