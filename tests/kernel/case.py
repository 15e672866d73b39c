"""One guest under treatment: runbooks are run on it as a user runs them, the guest's own figures are kept beside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tests.kernel.command import Operator
from tests.kernel.lab.guest import Guest
from tests.kernel.matrix import FIGURE, TRANSCRIPT

Reading = Callable[[Guest], float]


@dataclass(frozen=True)
class Treated:
    """How a run ended: its exit status; from the journal the host's report and the actions carried out, in order."""

    status: int
    host: dict[str, Any]
    executed: list[str]

    @property
    def outcome(self) -> str:
        """resolved, unresolved, healthy, refused ..."""
        return str(self.host["outcome"])

    def step(self, name: str) -> dict[str, Any]:
        """The step of that id; its first item where there are several."""
        return next(step for step in self.host["steps"] if step["id"] == name)


@dataclass(frozen=True)
class Transcript:
    """A run as a user saw it, with figures of the guest that the product did not measure."""

    scenario: str
    command: str
    said: str
    figures: tuple[str, ...]
    verified: str

    def dumped(self) -> str:
        """The transcript as text that a test process can hand over."""
        return json.dumps(asdict(self))


def transcript(text: str) -> Transcript:
    """The transcript that was dumped."""
    record = json.loads(text)
    return Transcript(**{**record, "figures": tuple(record["figures"])})


def transcripts_page(runs: Iterable[Transcript]) -> str:
    """All transcripts as a page of the documentation."""
    head = [
        "<!-- Written by `make test-kernel FULL=1 UPDATE_MATRIX=1`; do not edit. -->\n",
        "# Runs on guests\n",
        "What `runbook run` printed on guests of the kernel lab, without a terminal. The figures were read from the",
        "guest's kernel by the tests, not by `runbook`, right before and right after.\n",
    ]
    parts = [line for run in sorted(runs, key=lambda run: run.scenario) for line in _section(run)]
    return "\n".join([*head, *parts, ""])


def _section(run: Transcript) -> Iterator[str]:
    yield f"## {run.scenario}\n"
    yield f"```console\n$ {run.command}\n{run.said.rstrip()}\n$ runbook audit verify\n{run.verified.rstrip()}\n```\n"
    yield from (f"- the guest's {figure}" for figure in run.figures)
    yield ""


@dataclass(frozen=True)
class Case:
    """A guest in a scenario's state, its operator, and where a test puts what is to be kept."""

    scenario: str
    guest: Guest
    operator: Operator
    record: Callable[[str, object], None]

    def policy(self, *rules: str) -> None:
        """Writes the operator's services.yaml; a rule is as in `unit: a.service, stop: yes`."""
        lines = "".join(f"  - {{{rule}}}\n" for rule in rules)
        (self.operator.folder / "services.yaml").write_text(f"services:\n{lines}")

    def say(self, line: str) -> None:
        """Has a line of figures printed at the end of all tests."""
        self.record(FIGURE, line)

    def run(self, runbook: str, *words: str, figures: Mapping[str, Reading] | None = None) -> Treated:
        """Runs a runbook; its journal must verify. What was printed and the guest's own *figures* are kept."""
        chosen = figures or {}
        before = {name: reading(self.guest) for name, reading in chosen.items()}
        ended = self.operator("run", runbook, *words)
        moved = tuple(f"{name}: {before[name]:.3g} -> {chosen[name](self.guest):.3g}" for name in chosen)
        report = self.operator("report", "last", "--json", host=False).document
        verified = self.operator("audit", "verify", host=False)
        command = " ".join(("runbook run", runbook, *words, "--host GUEST"))
        said, proof = (self._anywhere(text) for text in (ended.out + ended.err, verified.out))
        kept = Transcript(self.scenario, command, said, moved, proof)
        self.record(TRANSCRIPT, kept.dumped())
        outcome = report["hosts"][0]["outcome"]
        self.say("; ".join((f"{self.scenario}: run {runbook}: {outcome}", *moved, verified.out.partition(":")[0])))
        assert verified.status == 0, verified.out
        return Treated(ended.status, report["hosts"][0], self._executed(report["run"]))

    def _anywhere(self, text: str) -> str:
        """The text without what only this machine knows: paths and ports."""
        address = self.guest.address
        here = {
            self.operator.folder: "STATE",
            address.identity: "KEY",
            address.known_hosts: "KNOWN_HOSTS",
            f"root@127.0.0.1:{address.port}": "GUEST",
        }
        for old, new in here.items():
            text = text.replace(str(old), new)
        return text

    def _executed(self, run: str) -> list[str]:
        records = [json.loads(line) for line in self.operator("audit", "export", run, host=False).out.splitlines()]
        asked = [record["request"] for record in records if record.get("event") == "asked"]
        return [request["change"]["action"] for request in asked if request["type"] == "Execute"]
