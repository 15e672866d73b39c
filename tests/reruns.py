"""Says last of all which tests needed a second try, and lets a run with too many of them fail; a plugin of pytest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

MOST = 2
"""A shared machine stands still at times; more tests than that have another reason."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run in which too many tests were tried twice has failed, though all passed."""
    if session.exitstatus == pytest.ExitCode.OK and len(_retried(session.config)) > MOST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The last lines."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        for line in lines(_retried(config)):
            terminal.write_line(line)


def lines(retried: dict[str, str]) -> Iterator[str]:
    """Each test that was tried twice, with the reason, and whether these are too many."""
    yield from (f"tried twice: {test}: {why}" for test, why in retried.items())
    if len(retried) > MOST:
        yield f"FAILED: {len(retried)} tests were tried twice, {MOST} may be"


def _retried(config: pytest.Config) -> dict[str, str]:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    reports = terminal.stats.get("rerun", []) if terminal is not None else []
    return {report.nodeid: _reason(report) for report in reports}


def _reason(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(crash.message if crash else report.longrepr).strip()
    return said.splitlines()[0] if said else "it said nothing"
