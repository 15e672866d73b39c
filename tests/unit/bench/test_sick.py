"""What is looked for in the answers about sick hosts and healthy ones."""

from __future__ import annotations

import json
from pathlib import Path

from bench.sick import ADDRESS, diagnosed, faults, journaled

SAID = {
    "dead": "unreachable the connection was refused: nothing listens at TCP port 22",
    "silent": "unreachable TCP accepts, no SSH banner in 20 s: the host may be thrashing",
    "another key": "unreachable THE HOST KEY HAS CHANGED: known is …",
    "no shell": "unreachable logged in, but no shell answered in 20 s: the host may be thrashing",
    "stalled": "unreachable logged in, but the shell stopped answering: nothing was read in 60 s",
}


def test_what_is_said_of_each_is_held_against_what_it_is() -> None:
    said = {ADDRESS[kind]: words for kind, words in SAID.items()} | {"127.0.1.1": "judged "}
    assert list(faults(["127.0.1.1"], said)) == []
    worse = said | {ADDRESS["dead"]: "judged ", "127.0.1.1": "unreachable late"}
    assert list(faults(["127.0.1.1", "127.0.1.2"], worse)) == [
        f"dead ({ADDRESS['dead']}): judged ",
        "127.0.1.1: unreachable late",
        "127.0.1.2: nothing",
    ]


def test_a_diagnosis_is_read_behind_what_was_said_on_stderr() -> None:
    hosts = [{"host": "a", "outcome": "judged"}, {"host": "b", "outcome": "unreachable", "error": "gone"}]
    assert diagnosed("reading 2 hosts\n" + json.dumps({"hosts": hosts})) == {"a": "judged ", "b": "unreachable gone"}


def test_the_end_of_each_host_is_in_its_journal(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "one"
    run.mkdir(parents=True)
    (run / "a.jsonl").write_text('{"record": {}}\n{"record": {"outcome": "unreachable", "why": "gone"}}\n')
    (run / "run.jsonl").write_text('{"event": "ended"}\n')
    assert journaled(tmp_path) == {"a": "unreachable gone"}
