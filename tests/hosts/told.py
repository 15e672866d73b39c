"""What is said of a recorded host: the verdict, the incidents, and each runbook's plan, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from memrunbook.app.connectors import Connectors
from memrunbook.app.diagnosing import DiagnoseArguments, diagnose
from memrunbook.core.host import Host
from memrunbook.core.plan.diagnosis import RunbookDiagnosis
from memrunbook.core.plan.headline import headline
from memrunbook.core.plan.judged import Judged
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.plan.planner import make_plan
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.bound import Runbook
from memrunbook.documents.library import Library
from memrunbook.ui.verdict import diagnosis_verdict

HERE = Path(__file__).parent
LIBRARY = Library(services=HERE / "services.yaml")


@cache
def _runbook_named(name: str) -> Runbook:
    return LIBRARY.runbook(name)


def judged(bundles: dict[str, Path], state: Path) -> list[Judged]:
    """The recordings, as diagnosing them judges them, in their order; `state` is an empty folder."""
    hosts = tuple(Host(name, transport="replay", source=str(path)) for name, path in bundles.items())
    result = diagnose(DiagnoseArguments(hosts=hosts, connectors=Connectors(), library=LIBRARY, state=state))
    assert not result.left_out
    return list(result.hosts)


def told(found: Judged) -> str:
    """All that is said of one host."""
    assert found.reached.snapshot is not None, found.reached.error
    return "\n".join([*_lines(found, found.reached.snapshot), ""])


def _lines(found: Judged, snapshot: Snapshot) -> Iterator[str]:
    assert found.diagnosis is not None
    nexts = {entry.runbook: entry.runbook for entry in found.diagnosis.runbooks}
    verdict = diagnosis_verdict(headline(found), nexts)
    kernel = snapshot.value("host.kernel")
    yield f"Linux {kernel}, {snapshot.samples} samples over {snapshot.span:.0f} s"
    yield "".join(span.text for span in (*verdict.head, *verdict.body))
    applying = [entry for entry in found.diagnosis.runbooks if entry.incident.state == "holds"]
    for entry in applying:
        yield ""
        yield from _applying(entry, snapshot, primary=entry.runbook == found.diagnosis.primary)
    yield ""
    yield from (_apart(entry, snapshot) for entry in found.diagnosis.runbooks if entry not in applying)


def _applying(entry: RunbookDiagnosis, snapshot: Snapshot, *, primary: bool) -> Iterator[str]:
    yield f"{entry.runbook}: an incident{', the primary one' if primary else ''}; {_checks(entry)}"
    yield f"  causes: {', '.join(one.name for one in entry.causes) or 'none'}"
    yield from map(_step, make_plan(_runbook_named(entry.runbook), snapshot).steps)


def _apart(entry: RunbookDiagnosis, snapshot: Snapshot) -> str:
    """One line; that a step would change something where nothing applies would be a fault, and stands there."""
    incident = "no incident" if entry.incident.state == "fails" else "not known"
    plan = make_plan(_runbook_named(entry.runbook), snapshot)
    changes = ", ".join(step.label for step in plan.changes)
    parts = (incident, _checks(entry), f"would change {changes}" if changes else "")
    return f"{entry.runbook}: {'; '.join(part for part in parts if part)}"


def _checks(entry: RunbookDiagnosis) -> str:
    """The checks that fire, and those that could not be judged; what a host does not have is no question."""
    firing = [f"{one.check} ({one.severity})" for one in entry.findings if one.state == "firing"]
    unknown = [one.check for one in entry.findings if one.state == "unknown" and "not offered by" not in one.why]
    lines = (("fires: ", firing), ("unknown: ", unknown))
    return "; ".join(f"{word}{', '.join(found)}" for word, found in lines if found)


def _step(step: PlannedStep) -> str:
    said = f"{step.change.summary} ({step.change.risk.name.lower()})" if step.change else step.why
    later = ", decided again" if step.provisional else ""
    return f"  {step.label}: {step.decision.replace('_', ' ')}{later}: {said}"
