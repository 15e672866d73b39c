"""The ways to the hosts of one use case."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook import transports
from memrunbook.app.connectors import Connectors
from memrunbook.core.errors import Unreachable
from memrunbook.core.host import Host
from memrunbook.transports.shared.reach import Reach, Way


def test_a_host_that_its_inventory_refuses_is_not_reached_and_the_reason_is_told() -> None:
    with pytest.raises(Unreachable, match="it says so") as refused:
        Connectors().connector(Host("a", refused="it says so", hint="mend it")).connect()
    assert (refused.value.where, refused.value.hint) == ("a", "mend it")


def test_hosts_with_an_ssh_configuration_of_their_own_share_a_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path | None] = []
    way = transports.way

    def noted(name: str, reach: Reach) -> Way:
        made.append(reach.ssh_config)
        return way(name, reach)

    monkeypatch.setattr(transports, "way", noted)
    connectors = Connectors(Reach(ssh_config=Path("/usual")))
    own = ("-J", "gate", "-F", "/own")
    for host in (Host("a", ssh_args=own), Host("b"), Host("c", ssh_args=("-F/own",)), Host("d", ssh_args=("-4",))):
        connectors.connector(host)
    assert made == [Path("/own"), Path("/usual")]
