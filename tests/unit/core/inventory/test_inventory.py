"""Hosts and the groups that hold them."""

from __future__ import annotations

from tests.unit.core.inventory.fleet import FLEET

from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import Inventory


def test_the_own_hosts_of_a_group_come_before_those_of_its_groups_and_each_once() -> None:
    members = FLEET.members("prod")
    assert members[0] == "web1"
    assert len(members) == len(set(members)) == 9
    assert FLEET.members("all")[:2] == ["lone", "twin"]


def test_a_host_is_known_by_its_name_and_by_an_address_that_no_other_has() -> None:
    assert FLEET.known("web3") == FLEET.hosts["web3"]
    assert FLEET.known("192.0.2.3") == FLEET.hosts["web3"]
    assert FLEET.known("198.51.100.1") is None, "two hosts have it"
    assert FLEET.known("elsewhere") is None


def test_hosts_that_were_named_otherwise_stand_beside_it() -> None:
    more = FLEET.with_hosts([Host("elsewhere"), Host("web1", user="other")])
    assert more.members("all")[0] == "elsewhere"
    assert more.hosts["web1"] == FLEET.hosts["web1"]
    assert Inventory().with_hosts([Host("alone")]).members("all") == ["alone"]
