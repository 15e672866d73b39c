"""A systemd service: its state, its memory, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Struct, structs

from memrunbook.core.action.policy import UNLISTED, UnitPolicy
from memrunbook.core.reading.fact import Doc
from memrunbook.core.units import Unit
from memrunbook.linux.systemctl import MICROSECONDS, Properties, number, seconds

RUNNING = frozenset({"active", "reloading", "refreshing"})
PROPERTIES = (
    "Id", "ActiveState", "SubState", "Result", "Type", "MainPID", "NRestarts", "ControlGroup",
    "MemoryCurrent", "MemoryHigh", "MemoryMax", "MemorySwapMax",
    "ActiveEnterTimestampMonotonic", "InvocationID", "OOMPolicy", "Restart", "WatchdogUSec",
    "CanStart", "CanStop", "CanFreeze", "RefuseManualStop", "RefuseManualStart", "NeedDaemonReload", "FreezerState",
    "TimeoutStartUSec", "TimeoutStopUSec", "StartLimitBurst", "DropInPaths",
    "RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf",
)  # fmt: skip
DRAGGED = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf")
"""The units that systemd stops and restarts with this one: systemd.unit(5), Requires, Requisite, BindsTo, PartOf."""
KERNEL = ("kernel_stack", "pagetables", "sec_pagetables", "percpu", "slab_reclaimable", "slab_unreclaimable")
"""What `kernel` of memory.stat sums up on kernels before 5.18, as far as they count it."""
OFTEN = 3
UNREAD = "unknown"
"""The state of a service of which only the control group could be read: what systemd says of it is not known."""
_CLUSTER = "/50-pacemaker.conf"
"""The drop-in that Pacemaker lays beside every service that it starts and stops itself."""


class ServiceMemory(Struct, frozen=True):
    """What a service's control group holds, in bytes; None where the kernel does not tell, or nobody asked.

    Shared memory and the kernel's are asked of those only that hold much beside their anonymous memory. `released` is
    the shared memory that goes with the service.
    """

    total: int | None = None
    anonymous: int | None = None
    file: int | None = None
    swap: int | None = None
    swap_cached: int | None = None
    shared: int | None = None
    kernel: int | None = None
    slab_reclaimable: int | None = None
    released: int = 0

    @property
    def swapped(self) -> int | None:
        """What is in swap and not in memory too."""
        return None if self.swap is None else max(self.swap - (self.swap_cached or 0), 0)

    @property
    def kept(self) -> int:
        """What the kernel holds for the service and does not give back on demand; 0 where that is not known."""
        known = self.kernel is not None and self.slab_reclaimable is not None
        return max((self.kernel or 0) - (self.slab_reclaimable or 0), 0) if known else 0

    @property
    def own(self) -> int | None:
        """What only the service can give back, in RAM and in swap; a page that is in both counts once.

        Of its shared memory that is only what goes with it.
        """
        if self.anonymous is None:
            return None
        return self.anonymous + self.released + self.kept + (self.swapped or 0)

    @property
    def held(self) -> dict[str, Any]:
        """The fields of a service that say so."""
        return {
            "shared_bytes": self.shared,
            "kernel_bytes": self.kernel,
            "swap_bytes": self.swapped,
            "own_bytes": self.own,
        }


def charged(said: Mapping[str, int]) -> ServiceMemory:
    """What a walk said of a group, by its own words and those of memory.stat.

    Kernel memory is `kernel` (5.18) or its parts, and the buffers of sockets. Before 5.18 the buffers of pipes and
    other pages stand in no line: they are what the group holds beside all that has one.
    """
    memory = ServiceMemory(**{name: said[name] for name in ServiceMemory.__struct_fields__ if name in said})
    parts = [said[name] for name in KERNEL if name in said]
    kernel = said.get("kernel", sum(parts) if parts else None)
    if kernel is not None:
        kernel += said.get("sock", 0)
        if "kernel" not in said and not memory.swap:
            kernel = max(kernel, (memory.total or 0) - (memory.anonymous or 0) - (memory.file or 0))
    return structs.replace(memory, shared=said.get("shmem"), kernel=kernel)


def with_released(memory: ServiceMemory, passing: int) -> ServiceMemory:
    """Files of a tmpfs and segments outlive who made them: `passing` bytes of the host's shared memory do not."""
    return structs.replace(memory, released=min(memory.shared or 0, passing)) if memory.shared else memory


def with_reclaimable(memory: ServiceMemory, reclaimable: int | None) -> ServiceMemory:
    """On cgroup v1 no line says what the kernel holds for a group: it is what is left of its usage.

    Of that at most so much as the whole host could give back (`reclaimable` bytes of slab) is taken to be given back.
    """
    left = (memory.total or 0) - (memory.anonymous or 0) - (memory.file or 0)
    if memory.kernel is not None or memory.file is None or memory.swap or reclaimable is None or left <= 0:
        return memory
    return structs.replace(memory, kernel=left, slab_reclaimable=min(left, reclaimable))


class Growth(Struct, frozen=True):
    """How fast a service grew over the samples; `steady` when it grew in every interval."""

    bytes_per_second: int | None = None
    steady: bool = False
    share: float | None = None


class Service(Struct, frozen=True, kw_only=True):
    """One service; what is not known is None."""

    name: Annotated[str, Doc("its name, as systemctl takes it", source="Id")]
    active: Annotated[bool, Doc("it is active", source="ActiveState")] = False
    failed: Annotated[bool, Doc("it is failed", source="ActiveState")] = False
    state: Annotated[str, Doc("active, reloading, failed, activating, deactivating", source="ActiveState")] = ""
    substate: Annotated[str, Doc("running, exited, auto-restart and so on", source="SubState")] = ""
    result: Annotated[str, Doc("why it ended last: success, oom-kill and so on", source="Result")] = ""
    type: Annotated[str, Doc("simple, oneshot, notify and so on", source="Type")] = ""
    main_pid: Annotated[int | None, Doc("its main process, None for none", source="MainPID")] = None
    restarts: Annotated[int | None, Doc("automatic restarts", Unit.COUNT, "NRestarts (235)")] = None
    restarted_often: Annotated[
        bool, Doc(f"{OFTEN} automatic restarts and more; false where they are not counted", source="NRestarts (235)")
    ] = False
    memory_bytes: Annotated[int | None, Doc("memory with its file cache", Unit.BYTES, "memory.current")] = None
    anonymous_bytes: Annotated[int | None, Doc("anonymous memory", Unit.BYTES, "memory.stat anon")] = None
    file_bytes: Annotated[int | None, Doc("file pages, shared memory too", Unit.BYTES, "memory.stat file")] = None
    swap_bytes: Annotated[
        int | None, Doc("in swap and not in memory too", Unit.BYTES, "memory.swap.current - memory.stat swapcached")
    ] = None
    shared_bytes: Annotated[
        int | None, Doc("tmpfs and shared memory; not asked where it is small", Unit.BYTES, "memory.stat shmem")
    ] = None
    kernel_bytes: Annotated[
        int | None,
        Doc("what the kernel holds for it; not asked where it is small", Unit.BYTES, "memory.stat kernel, sock"),
    ] = None
    own_bytes: Annotated[
        int | None,
        Doc(
            "what only it can give back: anonymous, shared and kernel memory without reclaimable slab, and swap",
            Unit.BYTES,
            "memory.stat, memory.swap.current",
        ),
    ] = None
    memory_percent: Annotated[float | None, Doc("that, of the host's RAM", Unit.PERCENT, "memory.stat")] = None
    own_share: Annotated[float | None, Doc("its part of what all services hold, 0 to 1", Unit.RATIO, "memory.stat")] = (
        None
    )
    memory_high_bytes: Annotated[int | None, Doc("throttling limit", Unit.BYTES, "MemoryHigh")] = None
    memory_max_bytes: Annotated[int | None, Doc("hard limit", Unit.BYTES, "MemoryMax")] = None
    swap_max_bytes: Annotated[int | None, Doc("limit of swap", Unit.BYTES, "MemorySwapMax")] = None
    memory_high_set: Annotated[bool, Doc("it has a throttling limit", source="MemoryHigh")] = False
    memory_max_set: Annotated[bool, Doc("it has a hard limit", source="MemoryMax")] = False
    growth_bytes_per_second: Annotated[
        int | None, Doc("growth of anonymous memory and swap over the samples", Unit.BYTES_PER_SECOND, "memory.stat")
    ] = None
    growth_share: Annotated[
        float | None, Doc("its part of all services' growth, 0 to 1", Unit.RATIO, "memory.stat")
    ] = None
    seconds_to_exhaustion: Annotated[
        float | None, Doc("until it alone has filled available memory and free swap", Unit.SECONDS, "memory.stat")
    ] = None
    age_seconds: Annotated[
        float | None, Doc("since it became active", Unit.SECONDS, "ActiveEnterTimestampMonotonic")
    ] = None
    invocation_id: Annotated[str, Doc("changes with every start", source="InvocationID (232)")] = ""
    cgroup: Annotated[str, Doc("its control group", source="ControlGroup")] = ""
    oom_policy: Annotated[str, Doc("continue, stop or kill", source="OOMPolicy (243)")] = ""
    restart_setting: Annotated[str, Doc("when systemd restarts it by itself", source="Restart")] = ""
    watchdog: Annotated[bool, Doc("systemd kills it when it is silent", source="WatchdogUSec")] = False
    can_start: Annotated[bool, Doc("systemd can start it", source="CanStart")] = False
    can_stop: Annotated[bool, Doc("systemd can stop it", source="CanStop (241)")] = False
    can_freeze: Annotated[bool, Doc("systemd can freeze it", source="CanFreeze (246)")] = False
    refuse_manual_stop: Annotated[bool, Doc("it must not be stopped by hand", source="RefuseManualStop")] = False
    refuse_manual_start: Annotated[bool, Doc("it must not be started by hand", source="RefuseManualStart")] = False
    need_daemon_reload: Annotated[bool, Doc("its file changed since it was read", source="NeedDaemonReload")] = False
    freezer_state: Annotated[str, Doc("running, frozen and so on", source="FreezerState (246)")] = ""
    start_limit_hit: Annotated[bool, Doc("down: it was started too often", source="Result, NRestarts")] = False
    cluster_managed: Annotated[bool, Doc("Pacemaker starts and stops it", source="DropInPaths")] = False
    timeout_seconds: Annotated[
        float | None, Doc("what a stop and a start may take", Unit.SECONDS, "TimeoutStopUSec, TimeoutStartUSec")
    ] = None
    dragged: Annotated[str, Doc("units that stop and restart with it, space apart", source=", ".join(DRAGGED))] = ""
    policy: UnitPolicy = UNLISTED


def read_service(shown: Properties, memory: ServiceMemory, uptime: float) -> Service:
    """A service from what systemctl shows of it; `uptime` in seconds. Older versions show fewer properties."""
    state = shown.get("ActiveState", "")
    entered = number(shown.get("ActiveEnterTimestampMonotonic", ""))
    restarts = number(shown.get("NRestarts", ""))
    stop, start = (seconds(shown.get(name, "")) for name in ("TimeoutStopUSec", "TimeoutStartUSec"))
    return Service(
        name=shown["Id"],
        active=state in RUNNING,
        failed=state == "failed",
        state=state,
        substate=shown.get("SubState", ""),
        result=shown.get("Result", ""),
        type=shown.get("Type", ""),
        main_pid=number(shown.get("MainPID", "")) or None,
        restarts=restarts,
        restarted_often=(restarts or 0) >= OFTEN,
        memory_bytes=number(shown.get("MemoryCurrent", "")) if memory.total is None else memory.total,
        anonymous_bytes=memory.anonymous,
        file_bytes=memory.file,
        **memory.held,
        **_limits(shown),
        age_seconds=max(0.0, uptime - entered / MICROSECONDS) if entered else None,
        invocation_id=shown.get("InvocationID", ""),
        cgroup=shown.get("ControlGroup", ""),
        oom_policy=shown.get("OOMPolicy", ""),
        restart_setting=shown.get("Restart", ""),
        watchdog=bool(seconds(shown.get("WatchdogUSec", ""))),
        can_start=shown.get("CanStart") == "yes",
        can_stop=shown.get("CanStop", "yes") == "yes",
        can_freeze=shown.get("CanFreeze") == "yes",
        refuse_manual_stop=shown.get("RefuseManualStop") == "yes",
        refuse_manual_start=shown.get("RefuseManualStart") == "yes",
        need_daemon_reload=shown.get("NeedDaemonReload") == "yes",
        freezer_state=shown.get("FreezerState", ""),
        start_limit_hit=_limited(shown),
        cluster_managed=_CLUSTER in shown.get("DropInPaths", ""),
        timeout_seconds=None if stop is None or start is None else stop + start,
        dragged=" ".join(dict.fromkeys(unit for name in DRAGGED for unit in shown.get(name, "").split())),
    )


def _limits(shown: Properties) -> dict[str, Any]:
    high, most, swap = (number(shown.get(name, "")) for name in ("MemoryHigh", "MemoryMax", "MemorySwapMax"))
    return {
        "memory_high_bytes": high,
        "memory_max_bytes": most,
        "swap_max_bytes": swap,
        "memory_high_set": high is not None,
        "memory_max_set": most is not None,
    }


def _limited(shown: Properties) -> bool:
    """Systemd keeps the result of the last run when it refuses another start: then the number of restarts says it."""
    if shown.get("Result") == "start-limit-hit":
        return True
    burst, restarts = number(shown.get("StartLimitBurst", "")), number(shown.get("NRestarts", ""))
    waits = shown.get("ActiveState") == "failed" and shown.get("Restart", "no") != "no"
    return waits and bool(burst) and (restarts or 0) >= (burst or 0)
