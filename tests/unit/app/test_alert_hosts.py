"""Whichever way an alert names a host: it is one of the inventory, or somebody is told why it is none."""

from __future__ import annotations

import pytest

from memrunbook.app.alert_hosts import meant_host
from memrunbook.core.host import Host
from memrunbook.core.inventory.inventory import Inventory
from memrunbook.documents.alerts import host_named

HOSTS = (
    Host("web1.example.org", address="192.0.2.7"),
    Host("web1.example.net", address="192.0.2.8"),
    Host("db1", address="2001:db8::7"),
    Host("mail", address="mail.prod.example.org"),
    Host("cache1.example.org"),
)
KNOWN = Inventory({host.name: host for host in HOSTS}, {})


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        ("web1.example.org:9100", "web1.example.org"),
        ("WEB1.Example.ORG:9100", "web1.example.org"),
        ("web1.example.org.", "web1.example.org"),
        ("192.0.2.8:9100", "web1.example.net"),
        ("[2001:db8::7]:9100", "db1"),
        ("2001:DB8:0:0::7", "db1"),
        ("db1.prod.example.org:9100", "db1"),
        ("cache1:9100", "cache1.example.org"),
        ("mail.prod.example.org:9100", "mail"),
        ("http://cache1.example.org:9100/metrics", "cache1.example.org"),
    ],
)
def test_a_host_is_found_however_it_is_written(instance: str, host: str) -> None:
    found = meant_host(KNOWN, host_named({"instance": instance}, "instance"), "instance")
    assert found.host is not None, found.why
    assert found.host.name == host


@pytest.mark.parametrize(
    ("instance", "why"),
    [
        ("web1:9100", "may be web1.example.net, web1.example.org: none is taken"),
        ("web2.example.org", "did you mean web1.example.org?"),
        ("mail.staging.example.org", "no host of the inventory"),
        ("web1.example.org,db1", "not the name of one host"),
        ("$(id)\x1b[31m", "host_label"),
        ("", "no label instance: host_label in config.yaml names another"),
    ],
)
def test_one_that_is_none_says_why_and_what_may_be_meant(instance: str, why: str) -> None:
    found = meant_host(KNOWN, host_named({"instance": instance}, "instance"), "instance")
    assert found.host is None
    assert why in found.why
    assert found.why.isprintable()
