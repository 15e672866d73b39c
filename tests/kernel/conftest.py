"""Fixtures for tests on guests; where none can run they are skipped, or fail if REQUIRE_KERNEL is 1."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.kernel import concerns, matrix
from tests.kernel.case import Transcript, transcript, transcripts_page
from tests.kernel.changes import Repository
from tests.kernel.lab.configuration import Configuration
from tests.kernel.lab.guest import Guest, fresh_guest
from tests.kernel.lab.requirements import obstacle
from tests.kernel.lab.scenario import named
from tests.kernel.treatments import TREATMENTS

REASON = "kernel lab: "
SLOWEST_TEST_SECONDS = 1800
RUNS = matrix.PAGE.with_name("runs-on-guests.md")
FULL, EVERYWHERE, UPDATE = (os.environ.get(name) == "1" for name in ("FULL", "EVERYWHERE", "UPDATE_MATRIX"))
SELECTED = "--core-and-changed"


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Without the option whatever is named runs, one scenario by hand included."""
    parser.addoption(
        SELECTED, action="store_true", help="of tests/kernel the core and what has changed; not with FULL=1"
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which tests run, and why."""
    return list(concerns.header(full=FULL, everywhere=EVERYWHERE)) if config.getoption(SELECTED, False) else []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, give the first one time to build the image, and begin with the longest."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.kernel)
            item.add_marker(pytest.mark.timeout(SLOWEST_TEST_SECONDS))
    if config.getoption(SELECTED, False) and not FULL:
        left_out = set(concerns.selection(everywhere=EVERYWHERE).left_out)
        config.hook.pytest_deselected(items=[item for item in items if _called(item) in left_out])
        items[:] = [item for item in items if _called(item) not in left_out]
    items.sort(key=_turn)


def _called(item: pytest.Item) -> str:
    """The test as a selection calls it."""
    tried = _tried(item)
    return matrix.titled(*tried) if tried else getattr(item, "originalname", item.name)


def _tried(item: pytest.Item) -> tuple[str, str] | None:
    """The names of the scenario and the configuration of a test that tries them."""
    call = getattr(item, "callspec", None)
    chosen = call.params if call is not None else {}
    return (chosen["name"], chosen["configuration"].name) if {"name", "configuration"} <= chosen.keys() else None


def _turn(item: pytest.Item) -> int:
    """What takes ten minutes comes first, then the treatments in their order: a guest alone at the end costs time."""
    turns, tried = list(TREATMENTS), _tried(item)
    if item.path.name in concerns.FILES_OF:
        return -1
    return turns.index(tried) if tried in turns else len(turns)


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
    yield from (str(value) for name, value in told if name == matrix.FIGURE)
    rows = matrix.last_tries(matrix.loaded(str(value)) for name, value in told if name == matrix.PROPERTY)
    if rows:
        yield from ("", *matrix.lines(rows))
    if rows and UPDATE:
        runs = [transcript(str(value)) for name, value in told if name == matrix.TRANSCRIPT]
        passed = not terminal.stats.get("failed") and not terminal.stats.get("error")
        yield from (
            _write(rows, runs, passed=passed) if FULL else ["not written: the matrix is that of a full run (FULL=1)"]
        )


def _write(rows: list[matrix.Row], runs: list[Transcript], *, passed: bool) -> Iterator[str]:
    """A change that was not committed yet is in no commit: a later run selects what leans on it once more."""
    day, commit = datetime.now(UTC).date(), Repository(concerns.ROOT, matrix.PAGE).commit("HEAD") or "unknown"
    ran = f"Last full run: {day}, commit {commit[:12]}." if passed else f"The last full run, {day}, failed."
    for path, content in ((matrix.PAGE, matrix.page(rows, ran)), (RUNS, transcripts_page(runs))):
        path.write_text(content)
        yield f"written: {path}"
