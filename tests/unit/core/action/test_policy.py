"""The service policy: the first rule that matches counts, and who is not listed is not allowed."""

from __future__ import annotations

from memrunbook.core.action.policy import UNLISTED, ServicePolicy, ServiceRule, UnitPolicy
from memrunbook.core.units import MIB, Size

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
    assert POLICY.unit("web-1.service").restart == "no"
    assert POLICY.unit("web-2.service").restart == "yes"


def test_a_rule_says_everything_of_a_unit() -> None:
    assert POLICY.unit("web-2.service") == UnitPolicy(
        restart="yes",
        freeze="no",
        stop="yes",
        limit="yes",
        kind="batch",
        memory_high_bytes=3 * MIB,
        memory_max_bytes=4 * MIB,
        swap_max_bytes=5 * MIB,
    )
    assert POLICY.unit("web-1.service").memory_high_bytes == UNLISTED.memory_high_bytes


def test_who_is_not_listed_is_unlisted() -> None:
    assert POLICY.rule("db.service") is None
    assert POLICY.rule("WEB-2.service") is None
    assert POLICY.unit("db.service") == UNLISTED
    assert UNLISTED.restart == UNLISTED.freeze == UNLISTED.stop == UNLISTED.limit == "unlisted"
