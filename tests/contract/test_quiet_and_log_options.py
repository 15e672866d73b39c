"""One rule says which commands have --quiet and --log-file: who may reach hosts, or works longer than a moment."""

from __future__ import annotations

import pytest
from tests.contract.test_store_option import EVERY, options

LONG = {"oom-log"}
"""They reach no host, but may read for long: a kernel log can be of gigabytes."""
SERVICES = {"schedule run", "schedule install", "mcp", "serve"}
"""What they say belongs to who started them: systemd's journal, or a program."""
LISTS = {"facts", "record"}
"""Their result is a list: there is no verdict that --quiet could leave."""
WORKING = sorted({*(name for name, one in EVERY.items() if "inventory" in options(one)), *LONG} - SERVICES)
"""Who takes an inventory reaches hosts, or asks an inventory for them, which may be a program."""


def test_the_commands_are_found() -> None:
    assert {"audit verify", "history", "hosts", "import-history", "run"} <= {*WORKING}
    assert EVERY.keys() >= SERVICES | LISTS | LONG


@pytest.mark.parametrize("name", sorted(EVERY))
def test_who_works_for_long_keeps_a_log_and_can_be_quiet_and_nobody_else(name: str) -> None:
    found = {"log_file", "quiet"} & options(EVERY[name]).keys()
    if name not in WORKING:
        assert found == set()
    else:
        assert found == ({"log_file"} if name in LISTS else {"log_file", "quiet"})
