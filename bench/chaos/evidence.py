"""Gathers what is known after a chaos: on the hosts, in the store, and in every state directory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg

from bench.chaos.stage import EFFECTS, Stage
from bench.chaos.verdict import Evidence, Front, Part, Told

JOBS = "SELECT count(*) FROM procrastinate_jobs"
PARTS = "SELECT id, order_id, host, state, outcome, attempt, node FROM parts ORDER BY id"
UNDER_WAY = "SELECT count(*) FROM parts WHERE state = 'running'"
AUDIT_SECONDS = 120.0


def wait_for_workers(stage: Stage, seconds: float) -> None:
    """Waits until each worker has said that it is there; TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(psycopg.errors.UndefinedTable), psycopg.connect(stage.postgres.url) as connection:
            there = {node for (node,) in connection.execute("SELECT node FROM workers").fetchall()}
            if there >= {node.name for node in stage.nodes}:
                return
        time.sleep(0.2)
    raise TimeoutError("the workers do not begin: see their logs")


def wait_until_idle(stage: Stage, seconds: float) -> bool:
    """Waits until no job is in the queue and nothing under way; False where that is not so in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with psycopg.connect(stage.postgres.url) as connection:
            open_ = [connection.execute(query).fetchone() for query in (JOBS, UNDER_WAY)]
        if all(row is not None and not row[0] for row in open_):
            return True
        time.sleep(0.5)
    return False


def gathered(stage: Stage, fronts: Sequence[Front]) -> Evidence:
    """All of it, once nobody is at work any more."""
    with psycopg.connect(stage.postgres.url) as connection:
        parts = [Part(*row) for row in connection.execute(PARTS).fetchall()]
        jobs = connection.execute(JOBS).fetchone()
    return Evidence(
        fronts=fronts,
        lines={address: effects(stage.run_of(place)) for place, address in enumerate(stage.hosts.addresses)},
        parts=parts,
        journals={part.id: dict(_journals(stage, part)) for part in parts},
        audits={state.name: audit(stage, state) for state in stage.states()},
        jobs=jobs[0] if jobs else 0,
        left={address: left(stage.run_of(place)) for place, address in enumerate(stage.hosts.addresses)},
    )


def effects(run: Path) -> list[str]:
    """The lines that steps have left on a host."""
    file = run / EFFECTS
    return file.read_text(encoding="ascii", errors="replace").splitlines() if file.exists() else []


def left(run: Path) -> list[str]:
    """Locks, with whose they are, and marks on a host."""
    lock = run / "memrunbook.lock"
    owner = [f"{lock.name} {lock.read_text(encoding='utf-8').splitlines()[0]}"] if lock.exists() else []
    return [*owner, *(path.name for path in sorted(run.glob("memrunbook-*.started")))]


def audit(stage: Stage, state: Path) -> list[str]:
    """What `runbook audit verify` finds wrong with a state directory; that a run has no end there is none of it."""
    out, err = (stage.folder / f"{state.name}.audit.{name}" for name in ("json", "err"))
    stage.runbook(["audit", "verify", "--json", f"--state-dir={state}"], out, err).ended(AUDIT_SECONDS)
    try:
        found = json.loads(out.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        return [f"it cannot be verified: {error}"]
    wrong = [json.dumps(finding) for finding in found["findings"] if finding["level"] != "note"]
    return wrong or ([] if found["intact"] else [f"{found['verdict']}"])


def _journals(stage: Stage, part: Part) -> Iterator[tuple[str, Told]]:
    """By node what its journal says of a part."""
    for state in stage.states():
        file = state / "runs" / part.id / f"{part.host}.jsonl"
        if file.exists():
            yield state.name, _told(file)


def _told(file: Path) -> Told:
    """The outcome at the end of a host's journal, and each step that ended in it."""
    outcome, steps = "", dict[str, str]()
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            envelope: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue  # torn: the audit says whether that is so because its engine was killed
        record = envelope.get("record") or {}
        if record.get("type") == "step-finished":
            steps[record["id"]] = record["state"]
        outcome = record["outcome"] if record.get("type") == "run-finished" else outcome
    return Told(outcome, steps)
