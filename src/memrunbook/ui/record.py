"""What a run rests on: its plan, who said yes to which digest, who the host is, and where all of it is written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memrunbook.core.host import HostIdentity
from memrunbook.core.plan.plan import Plan
from memrunbook.core.run.course import Course, GateAnswered
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Style, line, note, row, title, to_type
from memrunbook.ui.plan import planned_steps, steps_counted
from memrunbook.ui.words import moment_words, plural

ANSWERS: dict[str, tuple[str, Style]] = {
    "yes": ("yes", "good"),
    "no": ("no", "warning"),
    "skip": ("skipped", "warning"),
    "quit": ("quit", "warning"),
    "quit-all": ("quit all hosts", "warning"),
}
NOBODY = "No gate was answered in this run."


def plan_blocks(plan: Plan | None) -> list[Block]:
    """What was decided of each step before anything was done, and why."""
    if plan is None:
        return []
    return [BLANK, title("Plan", f": {steps_counted(plan)}"), Grid(tuple(planned_steps(plan)), under=2)]


def approval_blocks(gates: Sequence[GateAnswered]) -> list[Block]:
    """Each answer at a gate with the digest that it is for."""
    if not gates:
        return [BLANK, title("Approvals"), line(NOBODY)]
    return [BLANK, title("Approvals", f": {plural(len(gates), 'answer')}"), Grid(tuple(_gates(gates)), under=1)]


def _gates(gates: Sequence[GateAnswered]) -> Iterator[Row | Note]:
    for gate in gates:
        word, style = ANSWERS.get(gate.answer, (gate.answer, "unknown"))
        yield row(Span(word, style), Span(gate.step, "strong", whole=True), Span(gate.summary, whole=True))
        by = f"by {gate.who}" if gate.who else "by nobody"
        how = f", {gate.how}" if gate.how not in ("", "none") else ""
        yield note("", Span(f"{by}{how}, {moment_words(gate.at)}", whole=True))
        if gate.why:
            yield note("why: ", Span(gate.why, whole=True))
        if gate.digest:
            yield note("digest: ", Span(gate.digest, "quiet", whole=True))


def identity_blocks(host: str, identity: HostIdentity, engine: str, runbook: str = "", digest: str = "") -> list[Block]:
    """Who the host is, and what judged it."""
    told = [
        ("Host", host),
        ("Address", identity.address),
        ("Host key", identity.host_key),
        ("Machine id", identity.machine_id),
        ("Boot id", identity.boot_id),
        ("Read as", identity.user),
        ("Runbook", f"{runbook}, sha256:{digest.removeprefix('sha256:')}" if digest else runbook),
        ("Engine", f"memrunbook {engine}" if engine else ""),
    ]
    rows = tuple(row(name, body=Span(value, whole=True)) for name, value in told if value)
    return [BLANK, title("Identity"), Grid(rows, indent=0)]


def journal_blocks(course: Course, file: str, ledger_head: str) -> list[Block]:
    """Where the run is written down, up to which hash, and how whoever has the journal verifies it."""
    rows = [
        row("Journal", body=Span(file, whole=True)),
        row("Head", body=Span(f"{course.head}, {plural(course.records, 'record')}", whole=True)),
    ]
    if ledger_head:
        rows.append(row("Ledger", body=Span(ledger_head, whole=True)))
        rows.append(row("Verify", body=to_type(f"runbook audit verify --expect {ledger_head}")))
    unread = f"{plural(course.unread, 'reading')} of it cannot be read by this version"
    return [BLANK, title("Journal"), Grid(tuple(rows), indent=0), *([line(unread)] if course.unread else [])]
