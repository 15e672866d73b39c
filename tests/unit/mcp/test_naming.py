from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.mcp.served import served

from memrunbook.core.errors import UsageError
from memrunbook.core.host import Host
from memrunbook.mcp.naming import MOST_HOSTS, host_words, named_hosts, named_runbook


def test_names_groups_ranges_and_patterns_choose_among_what_the_server_has(tmp_path: Path) -> None:
    known = served(tmp_path, "web1", "web2", "web3", "db1", groups={"prod": ("web1", "db1"), "gone": ()})

    def names(*words: str) -> list[str]:
        return [host.name for host in named_hosts(known, words)]

    assert names("web2") == ["web2"]
    assert names("prod") == ["web1", "db1"]
    assert names("web[1:2]", "web1") == ["web1", "web2"]
    assert names("web*:&prod") == ["web1"]
    assert names("all:!web*") == ["db1"]
    with pytest.raises(UsageError, match="no host is left"):
        names("gone")


@pytest.mark.parametrize(
    "word",
    ["ada@web1", "web1:22", "@/etc/hosts", "/etc/passwd", "~web.*", "web4", "", "web1,", "!", "local", "127.0.0.1"],
)
def test_what_would_reach_another_way_or_somebody_else_is_refused(word: str, tmp_path: Path) -> None:
    known = served(tmp_path, "web1", "web2")
    if word == "web1,":  # an empty part names nobody
        assert [host.name for host in named_hosts(known, [word])] == ["web1"]
        return
    with pytest.raises(UsageError) as refused:
        named_hosts(known, [word])
    assert refused.value.where == "hosts"


def test_a_host_that_was_started_with_its_login_is_reached_by_that(tmp_path: Path) -> None:
    known = served(tmp_path, "web1")
    mine = Host("web1", user="ada", port=2222)
    known.inventory.hosts["web1"] = mine  # type: ignore[index]
    assert named_hosts(known, ["web1"]) == (mine,)


def test_more_hosts_than_an_answer_can_hold_are_refused(tmp_path: Path) -> None:
    known = served(tmp_path, *(f"web{number}" for number in range(MOST_HOSTS + 1)))
    assert len(named_hosts(known, [f"web[1:{MOST_HOSTS}]"])) == MOST_HOSTS
    with pytest.raises(UsageError, match=f"{MOST_HOSTS + 1} hosts are too many"):
        named_hosts(known, ["all"])


def test_a_runbook_is_one_of_the_library_by_its_name(tmp_path: Path) -> None:
    known = served(tmp_path, "web1")
    assert named_runbook(known, "swap-thrashing") == "swap-thrashing"
    file = tmp_path / "mine.yaml"
    file.write_text("apiVersion: memrunbook/v1\n", encoding="utf-8")
    for name in (str(file), "../runbooks/swap-thrashing.yaml", "Swap-Thrashing", "", "apiVersion: memrunbook/v1"):
        with pytest.raises(UsageError, match="there is no runbook"):
            named_runbook(known, name)


def test_many_hosts_are_told_in_short(tmp_path: Path) -> None:
    known = served(tmp_path, *(f"web{number:02}" for number in range(1, 90)), groups={"prod": ("web01",)})
    assert host_words(known.inventory) == "web[01:89]; groups: prod"
