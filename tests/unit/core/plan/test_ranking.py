"""Many hosts: each stands in one group, the worst first, those of one cause together."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.golden import samples as s
from tests.golden.fleet_pages import BLIND, CALM, HOSTS, REMARKS, away, grower, read, thrashing

from memrunbook.core.errors import Interrupted, Unreachable
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.plan.headline import Headline
from memrunbook.core.plan.ranking import WORDS, of_kind, ranked
from memrunbook.core.runbook.named import EvidenceItem

JAVA = structs.replace(s.LEAK, causes=(grower(3, 0, 1, "java.service"),))
KINDS = (
    (thrashing(grower(2, 0, 1)),),
    (thrashing(grower(2, 0, 1, "db.service")),),
    (s.SHORTAGE,),
    (s.LEAK,),
    (JAVA,),
    (BLIND,),
    (REMARKS,),
    (CALM,),
)


def names(hosts: Sequence[Headline]) -> list[list[str]]:
    return [[one.name for one in group.hosts] for group in ranked(hosts).groups]


def some_host(number: int, kind: int) -> Headline:
    name = f"web{number}"
    if kind < len(KINDS):
        return read(name, *KINDS[kind])
    error = Unreachable(f"{name} is away") if kind == len(KINDS) else Interrupted("not begun")
    return away(name, error)


FLEETS = st.dictionaries(st.integers(0, 200), st.integers(0, len(KINDS) + 1), max_size=25).map(
    lambda kinds: [some_host(number, kind) for number, kind in kinds.items()]
)


@given(FLEETS, st.randoms(use_true_random=False))
def test_each_host_stands_once_and_their_order_does_not_matter(hosts: list[Headline], chance: random.Random) -> None:
    ranking = ranked(hosts)
    assert sorted(one.name for one in ranking.hosts) == sorted(one.name for one in hosts)
    shuffled = list(hosts)
    chance.shuffle(shuffled)
    assert ranked(shuffled) == ranking
    assert all(group.hosts for group in ranking.groups)


@given(FLEETS)
def test_the_worst_comes_first_and_gives_the_word(hosts: list[Headline]) -> None:
    ranking = ranked(hosts)
    places = [WORDS.index(one.word) for one in ranking.hosts]
    assert places == sorted(places)
    assert ranking.word == (ranking.hosts[0].word if hosts else "UNKNOWN")
    assert sum(ranking.count(word) for word in WORDS) == len(hosts)
    if any(one.outcome != "judged" for one in hosts):
        assert ranking.word != "OK"


def test_one_cause_is_one_group_whatever_its_figures() -> None:
    hosts = [read("web10", thrashing(grower(38, 2, 200))), read("web2", thrashing(grower(2, 0, 0)))]
    assert names(hosts) == [["web2", "web10"]]


@pytest.mark.parametrize(
    "other",
    [
        read("b", thrashing(grower(2, 0, 0, "db.service"))),
        read("b", thrashing(structs.replace(grower(2, 0, 0), kind="process"))),
        read("b", s.SHORTAGE),
        read("b", s.LEAK),
        read("b", thrashing(structs.replace(grower(2, 0, 0), facts={"freezer_state": "frozen"}))),
        read("b", BLIND),
        read("b", CALM),
        away("b", Unreachable("gone")),
    ],
)
def test_another_runbook_cause_or_word_is_another_group(other: Headline) -> None:
    assert len(ranked([read("a", thrashing(grower(2, 0, 0))), other]).groups) == 2


def test_findings_that_name_somebody_are_alike_by_whom_they_name() -> None:
    def named(*items: str) -> Headline:
        evidence = structs.replace(s.LEAK.findings[0].evidence[0], items=tuple(map(EvidenceItem, items)))
        finding = structs.replace(s.LEAK.findings[0], evidence=(evidence,))
        return read(f"web{len(items)}", structs.replace(s.LEAK, findings=(finding,), causes=()))

    assert len(ranked([named("app@1.service"), named("app@2.service", "app@3.service")]).groups) == 1
    assert len(ranked([named("a"), named("a", "b")]).groups) == 2


def test_a_reason_that_names_its_host_is_the_same_on_another() -> None:
    away_hosts = [away(name, Unreachable(f"the name {name} could not be resolved")) for name in ("b", "a")]
    assert names([*away_hosts, away("c", Unreachable("refused"))]) == [["a", "b"], ["c"]]
    by_address = [
        structs.replace(one, host=Host(one.name, address=f"192.0.2.{place}"), why=f"192.0.2.{place} is away")
        for place, one in enumerate(away_hosts)
    ]
    assert names(by_address) == [["a", "b"]]


def test_the_order_of_groups() -> None:
    assert names(HOSTS) == [
        ["web01", "web02", "web03"],
        ["cache-1.rack-12.frankfurt.example.com"],
        ["db7"],
        ["db9.example.com"],
        ["db8"],
        ["db9", "db10"],
        [f"web{number:02}" for number in range(4, 15)],
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app@12.service", "app@*.service"),
        ("app@12", "app@*"),
        ("openvpn@server.conf.service", "openvpn@*.service"),
        ("page tables of postgres@15-main.service", "page tables of postgres@*.service"),
        ("session-12.scope", "session-*.scope"),
        ("run-u812.scope", "run-*.scope"),
        (f"docker-{'0a1b2c3d' * 8}.scope", "docker-*.scope"),
        ("kubepods-pod0f8fad5b_d9cb_469f_a165_70867728950e.slice", "kubepods-pod*.slice"),
        ("search-api.service", "search-api.service"),
        ("java", "java"),
        ("web2.service", "web2.service"),
    ],
)
def test_instances_are_of_one_kind(name: str, kind: str) -> None:
    assert of_kind(name) == kind
    assert of_kind(kind) == kind


def test_suspects_of_one_kind_are_one_cause() -> None:
    def scope(number: int) -> Suspect:
        return Suspect("cgroup", f"session-{number}.scope", 1.0)

    hosts = [read(f"w{number}", thrashing(scope(number))) for number in (1, 2, 3)]
    assert names(hosts) == [["w1", "w2", "w3"]]
