"""Sick hosts among healthy ones, in one command: each is named with its reason, the others come to their end before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import farm as farms
from bench import sick
from tests.cli.console import here

from memrunbook.documents import library
from memrunbook.runtime import collect

HEALTHY = 8
LACK = farms.missing() or ("" if farms.can_be_apart() else "only root can give each server a /run of its own")

pytestmark = [
    pytest.mark.skipif(bool(LACK), reason=LACK or "nothing is missing"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def farm() -> Iterator[farms.Farm]:
    with farms.running(HEALTHY, apart=True) as farm, sick.sick(farm):
        yield farm


@pytest.fixture(params=["ssh", "openssh"])
def reach(
    request: pytest.FixtureRequest, farm: farms.Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """Options that lead to all of them; a read that is not answered ends soon, but later than any healthy host."""
    monkeypatch.setattr(collect, "PROBE_SECONDS", 20.0)
    monkeypatch.setattr(library, "ADMINISTRATORS", tmp_path / "etc")
    hosts = ",".join([*sick.ADDRESS.values(), *farm.addresses])
    return [
        f"--host={hosts}",
        f"--ssh-config={farm.config}",
        f"--state-dir={tmp_path / 'state'}",
        f"--transport={request.param}",
        "--patience=5s",
    ]


def test_a_diagnosis_names_each_sick_host_and_judges_all_others(farm: farms.Farm, reach: list[str]) -> None:
    ran = here("diagnose", "--quick", "--json", *reach)
    assert not list(sick.faults(farm.addresses, sick.diagnosed(ran.out))), ran.said
    assert ran.code == 4
    assert len(json.loads(ran.out)["hosts"]) == HEALTHY + len(sick.KINDS)
    assert "Traceback" not in ran.said


def test_a_run_has_a_whole_journal_of_each_host_and_waits_for_none(
    farm: farms.Farm, reach: list[str], tmp_path: Path
) -> None:
    book, state = tmp_path / "look.yaml", tmp_path / "state"
    book.write_text(sick.BOOK, encoding="ascii")
    ran = here("run", str(book), "--yes", *reach)
    assert not list(sick.faults(farm.addresses, sick.journaled(state))), ran.said
    [run] = (state / "runs").iterdir()
    ends = {name: _last(run / f"{name}.jsonl")["monotonic"] for name in [sick.ADDRESS["stalled"], *farm.addresses]}
    stalled = ends[sick.ADDRESS["stalled"]]
    assert all(ends[address] < stalled for address in farm.addresses), "healthy hosts end while it is waited for"
    assert here("audit", "verify", f"--state-dir={state}").code == 0


def _last(path: Path) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
    return last
