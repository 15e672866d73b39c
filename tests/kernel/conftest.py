"""Fixtures for tests on guests; where none can run they are skipped, or fail if REQUIRE_KERNEL is 1."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.kernel.lab.guest import Guest, fresh_guest
from tests.kernel.lab.requirements import obstacle
from tests.kernel.lab.scenario import named

REASON = "kernel lab: "
SLOWEST_TEST_SECONDS = 1800


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and give the first one time to build the image."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.kernel)
            item.add_marker(pytest.mark.timeout(SLOWEST_TEST_SECONDS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end that guests were skipped, and why."""
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])}
    if any(REASON in reason for reason in reasons):
        terminalreporter.write_line(f"kernel tests skipped: {obstacle()}")
