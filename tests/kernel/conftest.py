"""Fixtures for tests on guests; where none can run they are skipped, or fail if REQUIRE_KERNEL is 1."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.kernel.lab.guest import Guest, fresh_guest
from tests.kernel.lab.requirements import obstacle
from tests.kernel.lab.scenario import named

REASON = "kernel lab: "


@pytest.fixture(scope="session")
def _able() -> None:
    """Skip, or fail where guests are required, with the reason why this machine cannot run them."""
    if reason := obstacle():
        (pytest.fail if os.environ.get("REQUIRE_KERNEL") == "1" else pytest.skip)(REASON + reason)


@pytest.fixture
def guest_in(_able: None) -> Iterator[Callable[[str], Guest]]:
    """Start a fresh guest in the named scenario's state; each is ended with the test."""
    with ExitStack() as stack:

        def enter(scenario_name: str) -> Guest:
            scenario = named(scenario_name)
            guest = stack.enter_context(fresh_guest(scenario.configuration))
            scenario.enter(guest)
            return guest

        yield enter


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end that guests were skipped, and why."""
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])}
    if any(REASON in reason for reason in reasons):
        terminalreporter.write_line(f"kernel tests skipped: {obstacle()}")
