"""Fixtures for tests on guests; where none can run they are skipped, or fail if REQUIRE_KERNEL is 1."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.kernel import matrix
from tests.kernel.case import transcript, transcripts_page
from tests.kernel.lab.configuration import Configuration
from tests.kernel.lab.guest import Guest, fresh_guest
from tests.kernel.lab.requirements import obstacle
from tests.kernel.lab.scenario import named
from tests.kernel.treatments import TREATMENTS

REASON = "kernel lab: "
SLOWEST_TEST_SECONDS = 1800
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
MATRIX, RUNS = REFERENCE / "confusion-matrix.md", REFERENCE / "runs-on-guests.md"


@pytest.fixture(scope="session")
def _able() -> None:
    """Skip, or fail where guests are required, with the reason why this machine cannot run them."""
    if reason := obstacle():
        (pytest.fail if os.environ.get("REQUIRE_KERNEL") == "1" else pytest.skip)(REASON + reason)


@pytest.fixture
def guest_in(_able: None) -> Iterator[Callable[..., Guest]]:
    """Start a fresh guest in the named scenario's state, in its own configuration or a given one.

    Each is ended with the test.
    """
    with ExitStack() as stack:

        def enter(scenario_name: str, configuration: Configuration | None = None) -> Guest:
            scenario = named(scenario_name)
            guest = stack.enter_context(fresh_guest(configuration or scenario.configuration))
            scenario.enter(guest)
            return guest

        yield enter


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, give the first one time to build the image, and begin with the longest."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.kernel)
            item.add_marker(pytest.mark.timeout(SLOWEST_TEST_SECONDS))
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """The treatments come first, in their order."""
    call = getattr(item, "callspec", None)
    chosen = call.params if call is not None else {}
    if "configuration" not in chosen or "name" not in chosen:
        return len(TREATMENTS)
    turns = list(TREATMENTS)
    named = (chosen["name"], chosen["configuration"].name)
    return turns.index(named) if named in turns else len(turns)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say last of all what the matrix is, that guests were skipped, and why; xdist's workers say nothing."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or hasattr(config, "workerinput"):
        return
    for line in _last_words(terminal):
        terminal.write_line(line)


def _last_words(terminal: pytest.TerminalReporter) -> Iterator[str]:
    reasons = {str(report.longrepr) for report in terminal.stats.get("skipped", [])}
    if any(REASON in reason for reason in reasons):
        yield f"kernel tests skipped: {obstacle()}"
    reports = [report for outcome in ("passed", "failed") for report in terminal.stats.get(outcome, [])]
    told = list(dict.fromkeys(told for report in reports for told in report.user_properties))
    yield from (f"tried again: {report.nodeid}: {_reason(report)}" for report in terminal.stats.get("rerun", []))
    yield from (str(value) for name, value in told if name == matrix.FIGURE)
    rows = matrix.last_tries(matrix.loaded(str(value)) for name, value in told if name == matrix.PROPERTY)
    if rows:
        yield from ("", *matrix.lines(rows))
    if rows and os.environ.get("UPDATE_MATRIX") == "1":
        runs = [transcript(str(value)) for name, value in told if name == matrix.TRANSCRIPT]
        for path, text in ((MATRIX, matrix.page(rows)), (RUNS, transcripts_page(runs))):
            path.write_text(text)
            yield f"written: {path}"


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else str(report.longrepr)
