"""Values to draw: the thrashing host of the design page, a healthy one, a blind one, and one with hostile names."""

from __future__ import annotations

from typing import Annotated

from msgspec import structs
from tests.unit.actions import hosts

from memrunbook.actions.capture_evidence import CaptureEvidence
from memrunbook.actions.restart_unit import RestartUnit
from memrunbook.actions.set_oom_score_adj import SetOomScoreAdj
from memrunbook.actions.set_sysctl import SetSysctl
from memrunbook.core.action.action import Action, Change
from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.plan.diagnosis import CheckState, Diagnosis, Finding, RunbookDiagnosis, Suspect
from memrunbook.core.plan.plan import Plan, PlannedStep
from memrunbook.core.reading.fact import Doc, Reading, Unavailable
from memrunbook.core.reading.metric import Metric, _walk
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.event import Diagnosed, LookedAt, StepFinished
from memrunbook.core.run.flight import OpenStep
from memrunbook.core.run.report import HostReport
from memrunbook.core.run.request import AskApproval
from memrunbook.core.runbook.condition import Evidence, State, Verdict
from memrunbook.core.units import GIB, MIB, Duration, Unit
from memrunbook.facts.holds import Hold, Holds

TAKEN = Instant(1795340467.0, 1000.0)
NOW = Instant(TAKEN.utc + 3, 1003.0)
LATER = Instant(TAKEN.utc + 900, 1900.0)
HOST = "search-03"
GROWER = "search-api.service"
RUN = "20261122T094107Z-kfqx"
HOSTILE = "[/bold]\x1b[31mred\x1b]0;title\x07\r\nfake: OK :skull: \u202egnp.exe\u2066 $(reboot)"
HUGE = "x" * 10_000


class HostFact(Reading, frozen=True, kw_only=True):
    kernel: str
    uptime_seconds: float


class MemoryFact(Reading, frozen=True, kw_only=True):
    total_bytes: Annotated[int, Doc("memory that the kernel may use", Unit.BYTES, "MemTotal")]
    available_bytes: Annotated[int, Doc("can be had without swapping", Unit.BYTES, "MemAvailable")]
    available_percent: Annotated[float, Doc("available of total", Unit.PERCENT)]
    percpu_bytes: Annotated[int | None, Doc("per-CPU allocations", Unit.BYTES, "Percpu")] = None


class SwapDevice(Reading, frozen=True, kw_only=True):
    name: Annotated[str, Doc("file or device")]
    used_bytes: Annotated[int, Doc("in use", Unit.BYTES)]
    priority: Annotated[int, Doc("the highest is used first")]
    zram: Annotated[bool, Doc("compressed memory")] = False


class SwapFact(Reading, frozen=True, kw_only=True):
    total_bytes: Annotated[int, Doc("all areas together", Unit.BYTES)]
    devices: Annotated[list[SwapDevice], Doc("the areas")]


def snapshot(host: str = HOST, device: str = "/dev/nvme0n1p3") -> Snapshot:
    memory = MemoryFact(total_bytes=64 * GIB, available_bytes=2 * GIB, available_percent=3.125)
    swap = SwapFact(total_bytes=8 * GIB, devices=[SwapDevice(name=device, used_bytes=2 * GIB, priority=-2)])
    readings: dict[str, Reading | Unavailable] = {
        "host": HostFact(kernel="6.8.0", uptime_seconds=41 * 86400.0),
        "memory": memory,
        "swap": swap,
        "cgroups": Unavailable("denied", "memory.events: permission denied"),
        "zram": Unavailable("absent", "/sys/block/zram0: there is no zram device"),
    }
    return Snapshot(host, HostIdentity(), TAKEN, readings, samples=2, span=5.0, seconds=5.4)


HELD = Holds(
    all=[
        Hold(name="search-api.service", kind="frozen", ours=True, run=RUN, runbook="swap-thrashing",
             since_seconds=130.0, left_seconds=170.0),
        Hold(name="vm.swappiness", kind="changed", what="vm.swappiness 60 -> 10, back after 2 h", ours=True, run=RUN,
             runbook="swap-thrashing", since_seconds=60.0, left_seconds=7140.0),
        Hold(name="batch.service", kind="frozen"),
    ]
)  # fmt: skip


def metrics() -> dict[str, Metric]:
    found = [*_walk("memory.", MemoryFact), *_walk("swap.", SwapFact)]
    found += [Metric(f"{name}.supported", "bool", Unit.NONE, "", "") for name in ("cgroups", "zram")]
    return {metric.name: metric for metric in found}


def finding(  # noqa: PLR0913  the parts of a finding
    check: str, name: str, state: CheckState, severity: str, *evidence: Evidence, why: str = "", runbook: str = ""
) -> Finding:
    return Finding(runbook or "swap-thrashing", check, name, state, severity, evidence, why)


THRASHING = finding(
    "thrashing", "Swap is read and written at the same time", "firing", "critical",
    Evidence("swap.in_bytes_per_second_min", int(4.7 * MIB), "bytes/s"),
    Evidence("swap.out_bytes_per_second_min", int(4.6 * MIB), "bytes/s"),
    Evidence("pressure.full.percent", 31.4, "%"),
)  # fmt: skip
SWAPPINESS = finding(
    "swappiness-high", "vm.swappiness favours swapping", "firing", "info", Evidence("sysctl.vm.swappiness", 60, "")
)
NEARLY_FULL = finding(
    "full", "Swap is nearly full", "clear", "warning", Evidence("swap.free_bytes", int(5.9 * GIB), "bytes")
)
AT_LIMIT = finding(
    "limit", "A cgroup is at its limit", "unknown", "warning",
    Evidence("cgroups.at_limit", None, "count", why="memory.events: permission denied"),
    why="memory.events: permission denied",
)  # fmt: skip
GROWS = (
    Evidence("main_pid", 48_121, ""),
    Evidence("restarts", 0, "count"),
    Evidence("memory_bytes", 40 * GIB, "bytes"),
    Evidence("anonymous_bytes", int(38.2 * GIB), "bytes"),
    Evidence("file_bytes", GIB, "bytes"),
    Evidence("swap_bytes", 2 * GIB, "bytes"),
    Evidence("memory_percent", 62.8, "%"),
    Evidence("growth_bytes_per_second", int(3.5 * MIB), "bytes/s"),
    Evidence("age_seconds", 90_000.0, "s"),
)
SUSPECT = Suspect(
    "unit", GROWER, 40.0,
    {"name": GROWER, "anonymous_bytes": int(38.2 * GIB), "swap_bytes": 2 * GIB,
     "growth_bytes_per_second": int(3.5 * MIB), "seconds_to_exhaustion": 2320.0, "age_seconds": 90_000.0},
)  # fmt: skip


def runbook_diagnosis(state: State = "holds", **changes: object) -> RunbookDiagnosis:
    found = RunbookDiagnosis(
        "swap-thrashing",
        "Swap thrashing",
        (THRASHING, SWAPPINESS, NEARLY_FULL, AT_LIMIT),
        Verdict(state, why="memory.events: permission denied" if state == "unknown" else ""),
        "critical",
        (SUSPECT, Suspect("process", "java", 3.0, {"pid": 812, "anonymous_bytes": 3 * GIB})),
    )
    return structs.replace(found, **changes)


def decided(action: Action, host: Snapshot | None = None) -> Change:
    """What the real action would change on a healthy host."""
    found = action.decide(host or hosts.host())
    assert isinstance(found, Change), found
    return found


RESTART = decided(RestartUnit(unit=GROWER), hosts.with_unit(UnitPolicy(restart="yes")))
EVIDENCE = decided(CaptureEvidence())
SYSCTL = decided(SetSysctl(key="vm.swappiness", value=10, for_=Duration(7200)))
# High, for it is a database.
SPARED = decided(SetOomScoreAdj(pid=812, value=-500), hosts.with_process(name="postgres", unit="postgresql.service"))


def change(**changes: object) -> Change:
    return structs.replace(RESTART, **changes)


def step(made: Change | None = None, **changes: object) -> PlannedStep:
    found = PlannedStep(
        id="restart-grower",
        name="Restart the service that grows",
        action="restart_unit",
        item=GROWER,
        decision="change",
        change=made or change(),
        verify="memory.available_percent > parameters.available_target\n&& units.failed_count == 0",
        given={"available_target": 15.0},
        within=180.0,
        hold=90.0,
        gate=True,
    )
    return structs.replace(found, **changes)


STEPS = (
    step(EVIDENCE, id="evidence", name="Save the evidence", item="", verify="", gate=False),
    step(),
    step(SYSCTL, id="swap-less", name="Lower the tendency to swap", item="", provisional=True),
)
NOT_RUN = (
    step(id="freeze-swapper", name="Freeze the service that swaps most", decision="blocked", change=None,
         why="guard: more than two services growing at once is not one leak",
         hint="it runs when size(units.growing) <= 2"),
    step(id="stop-batch", name="Stop the batch job", item="", decision="not_needed",
         why="nothing matches units.suspects"),
)  # fmt: skip

REFUSED = (
    step(id="freeze-swapper", name="Freeze the service that swaps most", decision="blocked", change=None,
         why="config.yaml:4 says that nothing may ever act on unit search-api.service: call the search team",
         hint="no option and no gate lifts this: act by hand, or have the line changed", rule=True),
    step(SYSCTL, id="swap-less", name="Lower the tendency to swap", item=""),
)  # fmt: skip


def plan(*steps: PlannedStep) -> Plan:
    return Plan(
        runbook="swap-thrashing",
        runbook_digest="9f2c41d0" + "0" * 56,
        host=HOST,
        identity=HostIdentity(),
        taken_at=TAKEN,
        expires_at=TAKEN.utc + 900,
        steps=tuple(structs.replace(one, change=None) if one.decision != "change" else one for one in steps or STEPS),
    )


def diagnosis(*entries: RunbookDiagnosis, primary: str = "", subsumed: tuple[str, ...] = ()) -> Diagnosis:
    return Diagnosis(HOST, entries, primary, subsumed)


SHORTAGE = RunbookDiagnosis(
    "memory-shortage", "Memory shortage",
    (finding("low", "Little memory is available", "firing", "warning",
             Evidence("memory.available_percent", 3.125, "%"), runbook="memory-shortage"),),
    Verdict("holds"), "warning",
)  # fmt: skip
TUNING = RunbookDiagnosis(
    "kernel-tuning", "Kernel tuning", (SWAPPINESS, structs.replace(NEARLY_FULL, runbook="kernel-tuning")),
    Verdict("fails"), "info",
)  # fmt: skip


LEAK = RunbookDiagnosis(
    "memory-leak", "Memory leak",
    (finding("grows", "A service grows all the time", "firing", "warning",
             Evidence("units.growing", 1, "count"), runbook="memory-leak"),
     finding("ranks", "A service is large", "firing", "info", Evidence("units.count", 4, "count"),
             runbook="memory-leak")),
    Verdict("fails"), "warning", (SUSPECT,),
)  # fmt: skip


def question(asked: PlannedStep | None = None, changed: str = "") -> AskApproval:
    because = (
        (THRASHING.name, THRASHING.evidence),
        (SWAPPINESS.name, SWAPPINESS.evidence),
        ("wanted", (Evidence("memory.available_percent", 3.125, "%"), AT_LIMIT.evidence[0])),
        (GROWER, GROWS),
    )
    return AskApproval(asked or step(), TAKEN, because, changed)


def finished(state: str = "done", **changes: object) -> StepFinished:
    found = StepFinished(
        id="restart-grower", name="Restart the service that grows", action="restart_unit", item=GROWER,
        state="done", summary=f"Restart {GROWER}", seconds=107.0,
        before=SIGNALS,
        after=CALM,
    )  # fmt: skip
    return structs.replace(found, state=state, **changes)


SIGNALS = {"memory.available_percent": 3.1, "swap.in_bytes_per_second": int(4.7 * MIB), "pressure.full.avg10": None}
CALM = {"memory.available_percent": 61.5, "swap.in_bytes_per_second": 0, "pressure.full.avg10": 0.0}


IN_FLIGHT = OpenStep(
    run="20261122T091205Z-kazi", runbook="swap-thrashing", host=HOST, step="restart-hog", action="restart_unit",
    target="hog.service", summary="Restart hog.service", started="2026-11-22T09:12:07.000Z", record="7" * 64,
    who="ada@ops-1",
)  # fmt: skip
LOOKED = LookedAt(
    run=IN_FLIGHT.run, step="restart-hog", action="restart_unit", target=GROWER, summary=f"Restart {GROWER}",
    started=IN_FLIGHT.started, record="7" * 64, found="unknown",
    why="its command began, and how it ended is not on the host",
)  # fmt: skip
STUCK = {"memory.available_percent": 3.2, "swap.in_bytes_per_second": int(4.6 * MIB), "pressure.full.avg10": None}


def report(outcome: str = "resolved", *steps: StepFinished, **changes: object) -> HostReport:
    saved = finished(id="evidence", name="Save the evidence", item="", summary="Save the evidence", seconds=1.4,
                     before={}, after={}, evidence=f"evidence/{HOST}/evidence.txt")  # fmt: skip
    rest = finished("not_needed", id="swap-less", name="Lower the tendency to swap", item="", summary="", seconds=0.0,
                    before={}, after={}, why="resolved after step restart-grower")  # fmt: skip
    begun = Diagnosed(runbook_diagnosis(), plan(), SIGNALS)
    found = HostReport(HOST, "resolved", steps or (saved, finished(), rest), SIGNALS, CALM, begun=begun)
    return structs.replace(found, outcome=outcome, **changes)
