"""The runbook of docs/how-to/worked-runbook.md, as it stands there, against the recording of its host and others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.console import ROOT, here

PAGE = (ROOT / "docs/how-to/worked-runbook.md").read_text("utf-8")
BOOK, POLICY = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SHOWN, HOSTS = ROOT / "tests/shown", ROOT / "tests/hosts"
SMALL = ("-p", "most=64MiB", "-p", "least=50")
FATTEST, NEXT, LEAST = "worker@2.service", "worker@3.service", "worker@1.service"


@pytest.fixture
def book(tmp_path: Path) -> str:
    (tmp_path / "fat-workers.yaml").write_text(BOOK)
    return str(tmp_path / "fat-workers.yaml")


def planned(book: str, recording: Path, *words: str, policy: str = "services: []\n") -> list[dict[str, Any]]:
    """The steps of the plan, with this services.yaml."""
    folder = Path(book).parent
    (folder / "services.yaml").write_text(policy)
    said = here("plan", book, "--replay", str(recording), "--config-dir", str(folder), "--json", *words)
    assert said.code == 0, said.said
    steps: list[dict[str, Any]] = json.loads(said.out)["hosts"][0]["steps"]
    return steps


def restarts(steps: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["target"], one["risk"]) for one in steps if one["action"] == "restart_unit" and one["target"]]


def test_the_files_that_sessions_are_run_with_are_those_of_the_page() -> None:
    assert (SHOWN / "fat-workers.yaml").read_text("utf-8") == BOOK
    assert (SHOWN / "fat-workers-services.yaml").read_text("utf-8") == POLICY


def test_it_is_valid_and_takes_the_fattest_first(book: str) -> None:
    assert here("validate", book).code == 0
    workers = SHOWN / "three-workers.txt"
    typed = [(name, "high") for name in (FATTEST, NEXT, LEAST)]
    assert restarts(planned(book, workers, *SMALL)) == typed
    asked = [(name, "medium") for name, _ in typed]
    assert restarts(planned(book, workers, *SMALL, policy=POLICY)) == asked


def test_whom_the_policy_forbids_to_restart_is_passed_over(book: str) -> None:
    forbids = POLICY.replace("worker@*", "worker@2").replace("yes", "no")
    found = restarts(planned(book, SHOWN / "three-workers.txt", *SMALL, policy=forbids))
    assert [name for name, _ in found] == [NEXT, LEAST]


def test_the_last_worker_is_never_restarted(book: str) -> None:
    steps = planned(book, SHOWN / "three-workers.txt", "-p", "pool=worker@2", *SMALL)
    (blocked,) = [one for one in steps if one["id"] == "restart-fat"]
    assert blocked["decision"] == "blocked"
    assert "it is the last worker that runs" in blocked["why"]


@pytest.mark.parametrize("words", [("-p", "least=20", "-p", "most=64MiB"), ("-p", "least=50")])
def test_a_fat_worker_alone_or_scarce_memory_alone_is_no_incident(book: str, words: tuple[str, ...]) -> None:
    steps = planned(book, SHOWN / "three-workers.txt", *words)
    assert {one["decision"] for one in steps} == {"not_needed"}


def test_it_does_not_apply_to_a_healthy_host(book: str) -> None:
    steps = planned(book, HOSTS / "idle-healthy.txt", *SMALL)
    assert {one["decision"] for one in steps} == {"not_needed"}
