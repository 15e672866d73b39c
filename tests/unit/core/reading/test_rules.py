"""What a line of config.yaml is about."""

from __future__ import annotations

import pytest

from memrunbook.core.reading.rules import NO_RULES, HostRules, TargetKind, Untouchable


@pytest.mark.parametrize(
    ("kind", "pattern", "named", "wanted"),
    [
        ("unit", "ledger*.service", ("unit", "ledger-7.service"), True),
        ("unit", "ledger*.service", ("process", "ledger-7.service"), False),
        ("unit", "ledger.service", ("unit", "Ledger.service"), False),
        ("unit", "ledger", ("unit", "ledger.service"), True),
        ("unit", "ledger", ("unit", "ledger-7.service"), False),
        ("unit", "ledger", ("word", "ledger.service"), True),
        ("unit", "ledger.socket", ("unit", "ledger.service"), False),
        ("unit", "ledger.service", ("word", "ledger"), True),
        ("unit", "ledger.service", ("word", "ledger.service"), True),
        ("process", "ledger.service", ("word", "ledger"), False),
        ("process", "java-ledger-backend", ("process", "java-ledger-bac"), True),
        ("process", "java-ledger-backend", ("process", "java-ledger"), False),
        ("container", "vault*", ("container", "vault-1"), True),
        ("container", "vault*", ("unit", "vault-1"), False),
    ],
)
def test_a_target_is_told_by_kind_and_name(
    kind: TargetKind,
    pattern: str,
    named: tuple[str, str],
    wanted: bool,  # noqa: FBT001
) -> None:
    assert Untouchable(kind=kind, pattern=pattern, where="config.yaml:2").matches(*named) is wanted


def test_whose_a_listed_process_is_is_read_where_units_are() -> None:
    listed = HostRules((Untouchable(kind="process", pattern="java", where="config.yaml:2"),))
    assert listed.reads(("host", "units")) == ("host", "processes", "units")
    assert listed.reads(("host",)) == ("host",)
    assert NO_RULES.reads(("host", "units")) == ("host", "units")
