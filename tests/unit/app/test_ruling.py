"""What config.yaml and the inventory forbid on a host: by its name, its groups, and its own units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from memrunbook.app.connectors import Connectors
from memrunbook.app.ruling import rules_for
from memrunbook.core.errors import Unreachable
from memrunbook.core.host import Host, ProtectedUnit
from memrunbook.documents.config import Config, load_config

TEXT = """\
untouchable:
  - {unit: "pg*.service", groups: db}
  - {unit: vip.service, hosts: "web*", groups: [prod, "edge-*"]}
  - {groups: frozen}
maximum_risk:
  - {risk: none, groups: [payment], why: the auditors}
  - {risk: low, hosts: "web*"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return load_config(path)


def test_groups_count_where_they_are_named(config: Config) -> None:
    def patterns(host: Host) -> list[str]:
        return [one.pattern for one in rules_for(config, host, "run").untouchable]

    assert patterns(Host("a", groups=("db", "x"))) == ["pg*.service"]
    assert patterns(Host("web1", groups=("edge-eu",))) == ["vip.service"]
    assert patterns(Host("a", groups=("edge-eu",))) == []
    assert patterns(Host("web1")) == []
    everybody = replace(config, untouchable=tuple(replace(one, groups=("all",)) for one in config.untouchable[:1]))
    assert [len(rules_for(everybody, host, "run").untouchable) for host in (Host("a", groups=("x",)), Host("a"))] == [
        1,
        0,
    ]
    assert patterns(Host("a", groups=("frozen",))) == ["*"]


def test_the_lowest_risk_of_all_that_match_counts(config: Config) -> None:
    assert rules_for(config, Host("a", groups=("payment",)), "run").risk == "none"
    assert "the auditors" in rules_for(config, Host("web1", groups=("payment",)), "run").risk_why
    assert rules_for(config, Host("web1"), "run").risk == "low"
    assert rules_for(config, Host("a"), "run").risk == "high"


def test_units_that_the_inventory_protects_are_untouchable_with_its_line() -> None:
    host = Host("a", protected_units=(ProtectedUnit("pg*.service", "hosts:7"),))
    [rule] = rules_for(Config(), host, "undo").untouchable
    assert rule.matches("unit", "pg-main.service")
    assert not rule.matches("unit", "other.service")
    assert rule.where == "hosts:7"


def test_what_the_inventory_says_by_now_counts_beside_what_it_said_then(config: Config) -> None:
    then = Host("a", groups=("db",), protected_units=(ProtectedUnit("x.service", "hosts:1"),))
    now = Host("a", groups=("payment",), protected_units=(ProtectedUnit("y.service", "hosts:2"),))
    rules = rules_for(replace(config, hosts={"a": now}), then, "apply")
    assert [one.pattern for one in rules.untouchable] == ["pg*.service", "x.service", "y.service"]
    assert rules.risk == "none"
    assert rules_for(replace(config, hosts={"a": then}), then, "apply") == rules_for(config, then, "apply")


def test_a_host_that_its_inventory_keeps_away_is_not_reached() -> None:
    host = Host("a", refused="ansible_connection is winrm (hosts:3)", hint="leave it out")
    Connectors().check([host])
    with pytest.raises(Unreachable) as refused:
        Connectors().connector(host).connect()
    assert (refused.value.where, refused.value.message, refused.value.hint) == ("a", host.refused, "leave it out")
