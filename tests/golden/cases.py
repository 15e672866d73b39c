"""Every page that is compared with a file, by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import structs
from tests.golden import samples as s
from tests.golden.audit_pages import audit_pages, report_with_who
from tests.golden.doctor_pages import doctor_pages
from tests.golden.fleet_pages import fleet_pages, plans_page
from tests.golden.hosts_pages import hosts_pages
from tests.golden.shown_pages import shown_pages
from tests.unit.actions import hosts

from memrunbook.actions.stop_unit import StopUnit
from memrunbook.app.ruling import through
from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.errors import DocumentError, HostKeyError, Problem
from memrunbook.core.plan.diagnosis import Suspect
from memrunbook.core.plan.freeze import FreezeWindow
from memrunbook.core.plan.held import held_words
from memrunbook.core.plan.plan import PlannedStep
from memrunbook.core.run.event import Outdated, RunFinished, StillHeld, UndoPlanned
from memrunbook.core.run.made import reversal
from memrunbook.core.run.report import fold
from memrunbook.core.run.request import Execute, Look, ReadFacts, Record, Wait
from memrunbook.core.units import GIB
from memrunbook.ui.block import Block
from memrunbook.ui.block import line as line_of
from memrunbook.ui.diagnosis import diagnosis_view
from memrunbook.ui.errors import error_view, notice
from memrunbook.ui.facts import facts_view
from memrunbook.ui.gate import ask_line, details_view, gate_view
from memrunbook.ui.header import open_blocks
from memrunbook.ui.journal import RunLine, runs_view, unknown_view
from memrunbook.ui.listing import Listed, list_view
from memrunbook.ui.plan import plan_view
from memrunbook.ui.problems import problems_view
from memrunbook.ui.progress import progress_line
from memrunbook.ui.recap import recap_view
from memrunbook.ui.report import report_view
from memrunbook.ui.undo import nothing_view, undo_view

NEXT = f"runbook run swap-thrashing --host {s.HOST}"
PROBLEMS = [
    Problem("leak.yaml:12:9", "unknown metric 'memory.avail_percent'", "did you mean 'memory.available_percent'?"),
    Problem("leak.yaml:30:3", "a step without a verify"),
]


def _plan() -> list[Block]:
    return plan_view(s.runbook_diagnosis(), s.plan(), s.snapshot(), NEXT, s.NOW)


def _plan_blocked() -> list[Block]:
    saved = plan_view(s.runbook_diagnosis(), s.plan(*s.NOT_RUN), s.snapshot(), f"runbook show {NEXT.split()[2]}",
                      s.LATER, saved="/tmp/plan.json")  # fmt: skip
    unknown = plan_view(s.runbook_diagnosis("unknown", causes=()), s.plan(*s.NOT_RUN), s.snapshot(), "", s.NOW)
    healthy = plan_view(s.runbook_diagnosis("fails", causes=()), s.plan(s.NOT_RUN[1]), s.snapshot(), "", s.NOW)
    return [*saved, *unknown, *healthy]


def _plan_ruled() -> list[Block]:
    """A step that a rule refuses, in a freeze."""
    told = (
        "config.yaml:12 says that nothing is changed here until 2027-01-03 05:00 UTC, in 41 d (freeze year-end: books)"
    )
    hint = through([FreezeWindow(name="year-end", where="", zone="UTC", begin=0.0, end=0.0)])
    return plan_view(s.runbook_diagnosis(), s.plan(*s.REFUSED), s.snapshot(), NEXT, s.NOW, frozen=[(told, hint)])


def _diagnose() -> list[Block]:
    primary = s.runbook_diagnosis()
    found = s.diagnosis(primary, s.SHORTAGE, s.TUNING, primary="swap-thrashing", subsumed=("memory-shortage",))
    return diagnosis_view(found, s.snapshot(), f"--host {s.HOST} -i hosts.yaml", s.NOW)


def _diagnose_healthy() -> list[Block]:
    healthy = diagnosis_view(s.diagnosis(s.LEAK, s.TUNING), s.snapshot(), now=s.NOW, verbose=True)
    blind = s.diagnosis(s.runbook_diagnosis("unknown", findings=(s.AT_LIMIT,)))
    return [*healthy, *diagnosis_view(blind, s.snapshot(), now=s.NOW)]


def _hostile() -> list[Block]:
    findings = (s.THRASHING, structs.replace(s.AT_LIMIT, why=s.HOSTILE))
    suspects = (Suspect("unit", s.HOSTILE, 2.0, {"anonymous_bytes": 5}), Suspect("process", s.HUGE, 1.0, {}))
    entry = s.runbook_diagnosis(findings=findings, causes=suspects)
    change = s.change(target=s.HOSTILE, summary=f"Restart {s.HOSTILE}", args=(s.HOSTILE,), costs=s.HOSTILE)
    plan = s.plan(s.step(change, item=s.HOSTILE), structs.replace(s.NOT_RUN[0], item=s.HUGE, why=s.HOSTILE))
    page = plan_view(entry, plan, s.snapshot(device=s.HOSTILE), NEXT, s.NOW)
    return [*page, *facts_view(s.snapshot(device=s.HOSTILE), s.metrics(), s.NOW)]


def _gate() -> list[Block]:
    changed = "it was: Restart (pid 1); now it would be: Restart (pid 2)"
    spare = s.step(s.SPARED, id="spare-database", name="Spare the database", action="set_oom_score_adj", item="")
    return [
        *gate_view(s.HOST, s.question(), s.NOW, "host 3 of 20", "role search; peers search-01, search-02"),
        *gate_view(s.HOST, s.question(s.STEPS[2], changed), s.LATER),
        *gate_view(s.HOST, s.question(spare), s.NOW),
        *details_view(s.question(s.STEPS[2])),
    ]


def _report() -> list[Block]:
    return report_with_who()


def _held() -> list[Block]:
    """The same host after its service was frozen: what only the hold keeps away is said before all else."""
    frozen = structs.replace(s.snapshot(), readings={**s.snapshot().readings, "holds": s.HELD})
    suspect = structs.replace(s.runbook_diagnosis().causes[0], facts={"own_bytes": 5 * GIB, "anonymous_bytes": 4 * GIB,
                                                                      "freezer_state": "frozen"})  # fmt: skip
    primary = s.runbook_diagnosis(causes=(suspect,))
    words = held_words(frozen)
    return [
        *diagnosis_view(s.diagnosis(primary, s.TUNING, primary="swap-thrashing"), frozen, f"--host {s.HOST}", s.NOW),
        *plan_view(primary, s.plan(), frozen, NEXT, s.NOW),
        *report_view(s.report("unresolved", others=(StillHeld(words),)), s.RUN),
        *report_view(s.report("healthy", s.finished("not_needed"), begun=None, others=(StillHeld(words[:1]),)), s.RUN),
    ]


def _outdated() -> list[Block]:
    """A saved plan that may not be applied any more: both sides of what differs."""
    host = Outdated("the host was rebooted after the plan was made", "boot-id 4d2f", "boot-id 91ac")
    step = Outdated("step restart-grower/search-api.service is not what was approved",
                    "Restart search-api.service (search-api.service main process 812 invocation 4f1c boot 4d2f, risk "
                    "medium, sha256:5b0ac9d1)", "Restart search-api.service (search-api.service main process 2471 "
                    "invocation 90ee boot 4d2f, risk medium, sha256:e7712fa0)")  # fmt: skip
    skipped = s.finished(
        "skipped", why="not reached: the run was refused", summary="", seconds=0.0, before={}, after={}
    )
    hint = "plan again, and have that approved: runbook plan NAME --host HOST --out FILE"
    return [
        *report_view(s.report("refused", begun=None, steps=(), why=host.what, hint=hint, others=(host,)), s.RUN),
        *report_view(s.report("refused", skipped, why=step.what, hint=hint, others=(step,)), s.RUN),
    ]


def _report_bad() -> list[Block]:
    lost = s.finished("unknown", why="the connection was lost", open=True)
    undone = s.finished("undone", id="swap-less", why="not proven within 300 s: vmstat.refaults_per_second < 100.0; it "
                        "was taken back", effect="did not move its signals: memory.available_percent 3.1 % -> 3.2 %, "
                        "swap.in_bytes_per_second 4.7 MiB/s -> 4.6 MiB/s", seconds=310.0, after=s.STUCK)  # fmt: skip
    refused = s.finished("refused", why="declined at the gate", hint="--allow restart_unit:x.service", seconds=0.0,
                         summary="", before={}, after={})  # fmt: skip
    return [
        *report_view(s.report("unknown", lost, why="the outcome of step restart-grower is unknown"), s.RUN),
        *report_view(s.report("failed", undone), s.RUN),
        *report_view(
            s.report("refused", refused, why="step restart-grower was refused", hint="runbook plan --out"), s.RUN
        ),
        *report_view(s.report("interrupted", refused, before={}, after={}, begun=None), s.RUN),
        *recap_view([s.report(), s.report("failed", undone, why="a step failed")], s.RUN),
    ]


def _in_flight() -> list[Block]:
    """A run that was killed in the middle of a restart: wherever somebody looks."""
    began = s.report().begun
    cut = fold(s.HOST, [began, s.finished(id="evidence")] if began else [], left=[s.IN_FLIGHT])
    line = RunLine(s.IN_FLIGHT.run, s.TAKEN.utc, "swap-thrashing", (s.HOST,), "interrupted", "ada",
                   (f"{s.HOST}: {s.IN_FLIGHT.told}",))  # fmt: skip
    asked = structs.replace(s.question(), looks=(s.LOOKED,))
    return [
        *runs_view([line], s.LATER),
        *report_view(cut, s.IN_FLIGHT.run),
        *open_blocks([s.IN_FLIGHT, structs.replace(s.IN_FLIGHT, answer="done", who="")]),
        *gate_view(s.HOST, asked, s.NOW),
        line_of(ask_line(s.HOST, asked, f"Type {asked.again} to go on")),
        progress_line(s.HOST, Look(s.IN_FLIGHT.run, s.IN_FLIGHT.record)),
        progress_line(s.HOST, Record(s.LOOKED)),
    ]


def _progress() -> list[Block]:
    restart = s.change()
    asked = (
        ReadFacts(("memory", "swap"), 3, 5.0, "diagnosis"),
        ReadFacts(("memory",), 1, 5.0, "before the step"),
        Record(s.report().begun or RunFinished("healthy")),
        Execute("restart-grower", restart),
        Execute("swap-less", s.SYSCTL, undo=True),
        Wait(5.0, "verify restart-grower"),
        Record(s.finished()),
        Record(s.finished(after=s.STUCK, effect="did not move its signal: memory.available_percent 3.1 % -> 3.2 %")),
        Record(RunFinished("resolved")),
    )
    return [progress_line(s.HOST, one) for one in asked]


def _errors() -> list[Block]:
    changed = HostKeyError("the host key has changed: SHA256:abc", hint="if that is right: ssh-keygen -R db7")
    runs = [s.RUN, "20261121T010000Z-abcd"]
    return [
        *error_view(changed, "db7"),
        *error_view(DocumentError(PROBLEMS)),
        *problems_view(PROBLEMS[:1], PROBLEMS[1:], 4),
        *problems_view([], [], 4),
        *notice("earlyoom is active on this host", "it may act at the same time"),
        *list_view([Listed("oom-event", "OOM event", "shipped"),
                    Listed("swap-thrashing", "Swap thrashing", "shipped", "/etc/memrunbook/runbooks"),
                    Listed("broken", "", "/etc/memrunbook/runbooks", problem="broken.yaml:1:1: no mapping")]),
        *runs_view([RunLine(runs[0], s.TAKEN.utc, "swap-thrashing", (s.HOST,), "resolved", "ada"),
                    RunLine(runs[1], s.TAKEN.utc - 90_000, "oom-event", ("a", "b"), "interrupted", "ada")], s.LATER),
        *runs_view([]),
        *runs_view([RunLine(runs[1], s.TAKEN.utc, "oom-event", ("web-1", "web-2"), "not ended", "bob", node="ctl-2"),
                    RunLine(runs[0], s.TAKEN.utc - 90_000, "swap-thrashing", (s.HOST,), "resolved", "ada")], s.LATER),
        *unknown_view("postgresql://runbook@db.example/runbook", "the store does not answer: connection refused"),
    ]  # fmt: skip


def _undo() -> list[Block]:
    swap = s.decided(StopUnit(unit=s.GROWER), hosts.with_unit(UnitPolicy(restart="yes", stop="yes")))
    gone = "it is as it was before already: somebody took it back"
    changed = "vm.swappiness is 30 now; we set 10: not ours any more"
    back = s.step(reversal(swap), id="stop", name=swap.summary, verify="the host shows that it is as it was before")
    steps = (
        back,
        s.step(reversal(s.SYSCTL), id="less", name=s.SYSCTL.summary, verify=back.verify, provisional=True),
        PlannedStep(id="thp", name="THP always -> never", action="set_thp", decision="not_needed", why=gone),
        PlannedStep(id="swap-less", name=s.SYSCTL.summary, action="set_sysctl", decision="blocked", why=changed,
                    hint="act by hand where it is wanted; the run did: sysctl vm.swappiness=10"),
    )  # fmt: skip
    plan = s.plan(*steps)
    command = f"runbook undo {s.RUN} --host {s.HOST}"
    ended = s.report("refused", s.finished(id="stop", summary=f"start {s.GROWER} again", before={}, after={}),
                     begun=None, others=(UndoPlanned(s.RUN, plan),), why="1 taken back, 1 left alone",
                     before={}, after={})  # fmt: skip
    left = s.finished("failed", why="it did not hold; it is left as it is: declined at the gate", left=True,
                      id="more-swap", item="", summary="Add 2.0 GiB of swap in /swapfile-runbook")  # fmt: skip
    held = s.finished(id="swap-less", item="", summary=s.SYSCTL.summary, back_at=s.TAKEN.utc + 7200.0)
    return [
        *undo_view(s.RUN, plan, command),
        *undo_view(s.RUN, s.plan(*steps[2:]), command),
        *nothing_view(s.RUN),
        *report_view(ended, "20261122T101500Z-undo"),
        *report_view(s.report("failed", left, held, s.finished("executed", left=True)), s.RUN),
        *runs_view([RunLine(s.RUN, s.TAKEN.utc, "swap-thrashing", (s.HOST,), "resolved", "ada", (),
                            ((f"{s.HOST}: {s.SYSCTL.summary}", s.LATER.utc + 7080.0),))], s.LATER),
    ]  # fmt: skip


CASES: dict[str, Callable[[], Sequence[Block]]] = {
    "audit": audit_pages,
    "diagnose-fleet": fleet_pages,
    "doctor": doctor_pages,
    "hosts": hosts_pages,
    "plan": _plan,
    "plan-blocked": _plan_blocked,
    "plan-fleet": plans_page,
    "plan-ruled": _plan_ruled,
    "diagnose": _diagnose,
    "diagnose-healthy": _diagnose_healthy,
    "facts": lambda: facts_view(s.snapshot(), s.metrics(), s.NOW),
    "hostile": _hostile,
    "gate": _gate,
    "report": _report,
    "report-bad": _report_bad,
    "held": _held,
    "outdated": _outdated,
    "in-flight": _in_flight,
    "progress": _progress,
    "shown": shown_pages,
    "errors": _errors,
    "undo": _undo,
}
