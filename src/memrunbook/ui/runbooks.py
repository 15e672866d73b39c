"""One runbook explained."""

from __future__ import annotations

from collections.abc import Iterator

from memrunbook.core.runbook.bound import Check, Runbook, Step
from memrunbook.core.runbook.condition import Condition
from memrunbook.core.units import format_duration
from memrunbook.ui.block import BLANK, Block, Grid, Note, Row, Span, Table, line, note, row, text
from memrunbook.ui.words import digest_words, proof_words, risk, severity


def show_view(runbook: Runbook) -> list[Block]:
    """What a runbook recognises, when it applies, what it does in which order, and at which risk."""
    spec = runbook.spec
    blocks: list[Block] = [
        line(Span(spec.title, "strong"), f" ({spec.name})"),
        line(Span(" ".join(spec.description.split()), whole=True), indent=2),
        BLANK,
        Grid(
            (row("Origin ", Span(runbook.origin, whole=True)), row("Digest ", digest_words(runbook.digest))), indent=0
        ),
        *_parameters(runbook),
        BLANK,
        line(Span("Checks", "strong")),
        Grid(tuple(entry for check in runbook.checks for entry in _check(check))),
        BLANK,
        Grid(tuple(_applies(runbook)), indent=0),
        BLANK,
        line(Span("Steps", "strong"), ", until it is resolved; the cheapest that can help first"),
    ]
    return [*blocks, Grid(tuple(entry for n, step in enumerate(runbook.steps, 1) for entry in _step(n, step)), under=2)]


def _parameters(runbook: Runbook) -> list[Block]:
    rows = tuple(
        (name, str(spec.default), spec.type, spec.description) for name, spec in runbook.spec.parameters.items()
    )
    if not rows:
        return []
    return [BLANK, line(Span("Parameters", "strong"), " (-p NAME=VALUE)"), Table(("name", "default", "type", ""), rows)]


def _check(check: Check) -> Iterator[Row | Note]:
    yield row(severity(check.spec.severity), Span(check.spec.name, "strong"))
    yield note("when  ", Span(_condition(check.when), whole=True))
    if check.spec.explain:
        yield note("", Span(check.spec.explain, whole=True))


def _applies(runbook: Runbook) -> Iterator[Row | Note]:
    yield row("Applies when ", Span(_condition(runbook.incident), whole=True))
    held = f", held for {format_duration(runbook.hold)}" if runbook.hold else ""
    over = _condition(runbook.resolved) if runbook.resolved else "it no longer applies"
    yield row("Resolved when", Span(over + held, whole=True))
    if runbook.spec.subsumes:
        yield row("Comes before ", ", ".join(runbook.spec.subsumes))


def _step(number: int, step: Step) -> Iterator[Row | Note]:
    spec = step.spec
    level = text("risk at most ", risk(step.action.max_risk))
    yield row(str(number), Span(spec.id, "strong"), spec.name, body=level)
    yield note("does    ", spec.action)
    if step.for_each is not None:
        yield note("each    ", Span(f"of {_flat(step.for_each.source)}, at most {spec.limit}", whole=True))
    if step.when is not None:
        yield note("when    ", Span(_condition(step.when), whole=True))
    for guard in step.guards:
        yield note("guard   ", Span(f"{_condition(guard.that)}: {guard.why}", whole=True))
    if step.verify is not None:
        proof = proof_words(step.verify.that.source, step.verify.within, step.verify.hold)
        yield note("verify  ", Span(proof, whole=True))
    yield note(
        "fails   ", f"then {'go on' if spec.on_failure == 'continue' else 'stop'}; undo: {step.action.undo_mode}"
    )


def _condition(condition: Condition) -> str:
    return _flat(condition.source)


def _flat(source: str) -> str:
    return " ".join(source.split())
