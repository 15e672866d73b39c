"""runbook import-history: what is refused, and a month of Prometheus that `history` then knows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.cli.console import here
from tests.unit.transports.shared.test_prometheus import matrix, says, server


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("prometheus",), "the address of the server is missing"),
        (("sar", "http://127.0.0.1:9"), "sar is read on the hosts themselves"),
        (("prometheus", "web1:9090"), "is no http or https address"),
        (("prometheus", "http://127.0.0.1:9", "--token-file", "/nowhere/token"), "/nowhere/token: No such file"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_way_out(words: tuple[str, ...], why: str, tmp_path: Path) -> None:
    told = here("import-history", *words, "--host", "web1", "--state-dir", str(tmp_path))
    assert told.code == 2
    assert why in told.err
    assert "hint: " in told.err or "token" in why


def test_a_month_of_prometheus_is_known_to_the_history(tmp_path: Path) -> None:
    now = time.time()
    points = [(now - 300.0 * ago, str(1 << 30)) for ago in range(20, 0, -1)]
    state = ("--state-dir", str(tmp_path))
    token = tmp_path / "token"
    token.write_text("secret\n", encoding="utf-8")
    with server(says(matrix(*points))) as url:
        told = here("import-history", "prometheus", url, "--token-file", str(token), "--host", "web1", *state)
    assert told.code == 0
    assert "web1  160 points of 8 figures" in told.out
    assert "secret" not in told.out + told.err
    assert "memory.available_bytes" in here("history", "--host", "web1", "--csv", *state).out


def test_a_server_that_does_not_answer_is_told(tmp_path: Path) -> None:
    told = here("import-history", "prometheus", "http://127.0.0.1:9", "--host", "web1", "--state-dir", str(tmp_path))
    assert told.code == 4
    assert "web1 at http://127.0.0.1:9: it does not answer" in told.out


def test_a_host_that_prometheus_does_not_know_is_no_success(tmp_path: Path) -> None:
    with server(says(matrix(instances=()))) as url:
        told = here("import-history", "prometheus", url, "--host", "web1", "--state-dir", str(tmp_path))
    assert told.code == 9
    assert "web1  nothing was recorded" in told.out
    assert "--match" in told.out
