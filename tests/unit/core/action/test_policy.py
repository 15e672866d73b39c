"""The service policy: the first rule that matches counts, and who is not listed is not allowed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from memrunbook.core.action.policy import UNLISTED, Care, ServicePolicy, ServiceRule, UnitPolicy, joined_policy
from memrunbook.core.units import HOUR, MIB, Duration, Size
from memrunbook.core.window import ServiceWindow

POLICY = ServicePolicy(
    (
        ServiceRule(unit="web-1.service", restart="no"),
        ServiceRule(
            unit="web-*.service",
            restart="yes",
            freeze="no",
            stop="yes",
            limit="yes",
            kind="batch",
            memory_high=Size(3 * MIB),
            memory_max=Size(4 * MIB),
            swap_max=Size(5 * MIB),
        ),
    )
)


def test_the_first_rule_that_matches_counts() -> None:
    assert POLICY.unit("web-1.service", 0.0).restart == "no"
    assert POLICY.unit("web-2.service", 0.0).restart == "yes"


def test_a_rule_says_everything_of_a_unit() -> None:
    assert POLICY.unit("web-2.service", 0.0) == UnitPolicy(
        restart="yes",
        freeze="no",
        stop="yes",
        limit="yes",
        kind="batch",
        memory_high_bytes=3 * MIB,
        memory_max_bytes=4 * MIB,
        swap_max_bytes=5 * MIB,
    )
    assert POLICY.unit("web-1.service", 0.0).memory_high_bytes == UNLISTED.memory_high_bytes


def test_who_is_not_listed_is_unlisted() -> None:
    assert POLICY.rule("db.service") is None
    assert POLICY.rule("WEB-2.service") is None
    assert POLICY.unit("db.service", 0.0) == UNLISTED
    assert UNLISTED.restart == UNLISTED.freeze == UNLISTED.stop == UNLISTED.limit == "unlisted"


def joined(binding: dict[str, Any] | None, own: dict[str, Any] | None) -> UnitPolicy:
    """What is said of db.service where the first binds everybody."""
    both = [() if said is None else (ServiceRule(unit="db*", **said),) for said in (binding, own)]
    return joined_policy(*(ServicePolicy(rules) for rules in both)).unit("db.service", 0.0)


@pytest.mark.parametrize(
    ("binding", "own", "restart"),
    [
        ("no", "yes", "no"),
        ("yes", "no", "no"),
        ("unlisted", "yes", "yes"),
        ("yes", "unlisted", "yes"),
        ("unlisted", "unlisted", "unlisted"),
    ],
)
def test_a_no_of_either_stands(binding: str, own: str, restart: str) -> None:
    found = joined({"restart": binding}, {"restart": own, "stop": "yes"})
    assert (found.restart, found.stop, found.freeze) == (restart, "yes", "unlisted")


def test_what_only_one_names_is_as_that_says() -> None:
    assert joined({"restart": "no"}, None).restart == "no"
    assert joined(None, {"restart": "yes"}).restart == "yes"
    assert joined(None, None) == UNLISTED


@pytest.mark.parametrize(
    ("binding", "own", "kind"),
    [
        ("database", "service", "database"),
        ("service", "cluster", "cluster"),
        ("database", "cluster", "cluster"),
        ("service", "batch", "batch"),
        ("service", "service", "service"),
    ],
)
def test_a_guarded_kind_stands_and_a_rule_never_chooses_it(binding: str, own: str, kind: str) -> None:
    found = joined({"kind": binding}, {"kind": own, "restart": "yes" if own in ("service", "batch") else "unlisted"})
    assert found.kind == kind
    assert (found.restart == "yes") == (kind in ("service", "batch"))


def test_what_the_binding_one_says_of_a_service_is_not_replaced() -> None:
    binding = {
        "memory_max": Size(2 * MIB),
        "health": ("check",),
        "drain": ("out",),
        "undrain": ("in",),
        "peers": ("a",),
    }
    own = {
        "memory_max": Size(9 * MIB),
        "memory_high": Size(MIB),
        "health": ("true",),
        "health_within": Duration(5),
        "drain": ("true",),
        "drain_within": Duration(6),
        "max_parallel": 5,
        "peers": ("b", "a"),
    }
    found = joined(binding, own)
    assert (found.memory_max_bytes, found.memory_high_bytes, found.swap_max_bytes) == (2 * MIB, MIB, 0)
    care = Care(health=("check",), drain=("out",), undrain=("in",), max_parallel=5, peers=("a", "b"))
    assert found.care == care
    less = joined({"max_parallel": 3}, own)
    assert less.care is not None
    assert (less.care.max_parallel, less.care.health, less.care.drain_within) == (3, ("true",), 6.0)


def test_the_window_that_binds_everybody_stands() -> None:
    nightly, always = ServiceWindow(from_="02:00", until="04:00"), ServiceWindow(from_="00:00", until="24:00")
    rule = ServiceRule(unit="db.service", restart="yes")
    binding, own = structs.replace(rule, window=nightly), structs.replace(rule, window=always)
    for first, is_open in ((binding, False), (rule, True)):
        both = joined_policy(ServicePolicy((first,)), ServicePolicy((own,)))
        assert both.unit("db.service", 12 * HOUR).in_window is is_open
