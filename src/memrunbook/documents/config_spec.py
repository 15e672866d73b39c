"""What can be written in `config.yaml`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from memrunbook.core.plan.approval import ApprovalRule
from memrunbook.core.units import Duration
from memrunbook.documents.alert_rules import AlertSpec
from memrunbook.documents.freezes import FreezeSpec
from memrunbook.documents.remembered import HistorySpec, LimitsSpec, LogPlace, StorePlace, StoreSpec
from memrunbook.documents.rollouts import NumberOfHosts, Numbers
from memrunbook.documents.serving import ServeSpec
from memrunbook.receivers import AnyReceiver

FilePath = Annotated[str, Meta(min_length=1, description="a path; one that is not absolute lies beside config.yaml")]
Pattern = Annotated[str, Meta(min_length=1, description="a shell pattern")]
Hosts = Annotated[str, Meta(min_length=1, description="a shell pattern of host names")]
GroupPatterns = Annotated[
    str | tuple[Annotated[str, Meta(min_length=1)], ...] | None,
    Meta(description="only on hosts of these groups of the inventory; shell patterns"),
]
Why = Annotated[str, Meta(description="what is told to whoever it stops")]
Mode = Literal["run", "apply", "undo"]


class DefaultsSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`defaults`: options of the command line for whoever does not give them."""

    user: (
        Annotated[str, Meta(pattern=r"^[^@\s:]+$", description="the login on hosts that are named without")] | None
    ) = None
    port: (
        Annotated[int, Meta(ge=1, le=65535, description="the port of the ssh server; ssh's own where it is left out")]
        | None
    ) = None
    identity: Annotated[FilePath | tuple[FilePath, ...] | None, Meta(description="as --identity")] = None
    known_hosts: Annotated[FilePath | tuple[FilePath, ...] | None, Meta(description="as --known-hosts")] = None
    ssh_config: Annotated[FilePath | None, Meta(description="as --ssh-config")] = None
    sudo: (
        Annotated[Literal["auto", "always", "never"], Meta(description="as --sudo; auto where it is left out")] | None
    ) = None
    forks: (
        Annotated[int, Meta(ge=1, le=200, description="hosts at work at once, as --forks; 50 where it is left out")]
        | None
    ) = None
    patience: Annotated[Duration, Meta(description="how long a slow host is waited for, as --patience")] | None = None
    serial: Annotated[
        Numbers, Meta(description="how many hosts are begun together, as --serial; all where it is left out")
    ] = None
    max_failures: Annotated[
        NumberOfHosts | None, Meta(description="with so many hosts failed nothing more is begun, as --max-failures")
    ] = None
    inventory: (
        Annotated[str | tuple[str, ...], Meta(description="as -i; a path that is not absolute lies beside config.yaml")]
        | None
    ) = None
    vault_files: Annotated[
        Literal["refuse", "skip"],
        Meta(description="what is done about group_vars and host_vars that ansible-vault has encrypted"),
    ] = "refuse"


class UntouchableSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `untouchable`: a unit, a process, a container, or (with `hosts` alone) whole hosts."""

    unit: Annotated[Pattern | None, Meta(description="a shell pattern of services")] = None
    process: Annotated[Pattern | None, Meta(description="a shell pattern of names of processes")] = None
    container: Annotated[Pattern | None, Meta(description="a shell pattern of names of containers")] = None
    hosts: Hosts = "*"
    groups: GroupPatterns = None
    why: Why = ""


class MaximumRiskSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `maximum_risk`: nothing above this risk is done; of several that match the lowest counts."""

    risk: Annotated[Literal["none", "low", "medium"], Meta(description="the highest risk that is done")]
    hosts: Hosts = "*"
    groups: GroupPatterns = None
    tag: Annotated[str, Meta(min_length=1, description="only on hosts that were named with this --tag")] | None = None
    modes: Annotated[tuple[Mode, ...], Meta(min_length=1, description="in which commands")] = ("run", "apply")
    why: Why = ""


class ConfigSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """config.yaml. `deadline` is how long after it was made a plan that needs approvals can be approved and applied.

    `reason` says when `run`, `apply` and `undo` need a --reason: always (required), or for what may be of this risk.
    """

    defaults: Annotated[
        DefaultsSpec, Meta(description="options of the command line for whoever does not give them")
    ] = DefaultsSpec()
    untouchable: Annotated[tuple[UntouchableSpec, ...], Meta(description="what nothing may ever act on")] = ()
    maximum_risk: Annotated[
        tuple[MaximumRiskSpec, ...], Meta(description="the highest risk of what is done; the lowest that matches")
    ] = ()
    freeze: Annotated[tuple[FreezeSpec, ...], Meta(description="windows of time in which nothing is changed")] = ()
    reason: Annotated[
        Literal["optional", "required", "low", "medium", "high"],
        Meta(description="when a --reason is needed: never, always, or for what may be of this risk"),
    ] = "optional"
    approvals: Annotated[
        tuple[ApprovalRule, ...], Meta(description="what others must approve; the rule that asks for the most counts")
    ] = ()
    allowed_signers: Annotated[
        FilePath | None, Meta(description="a file as of ssh-keygen(1): whose keys approve; needed for approvals")
    ] = None
    revoked_keys: Annotated[
        FilePath | None, Meta(description="a file of public keys, one a line, that approve nothing any more")
    ] = None
    deadline: Annotated[
        Duration | None,
        Meta(description="how long after it was made a plan can be approved and applied; 1d where it is left out"),
    ] = None
    store: Annotated[
        StorePlace | StoreSpec | None,
        Meta(
            description="where runs know of one another: postgresql://USER@HOST/DATABASE, or a file of SQLite; "
            "store.sqlite in the state directory where it is left out"
        ),
    ] = None
    forward: Annotated[
        LogPlace | None,
        Meta(
            description="a log that is told of each record: journald, syslog, udp://HOST[:PORT] or tcp://HOST[:PORT]; "
            "none where it is left out"
        ),
    ] = None
    limits: Annotated[LimitsSpec | None, Meta(description="how much is enough")] = None
    history: Annotated[
        HistorySpec | None, Meta(description="what is kept of readings, to look back and to forecast by")
    ] = None
    notify: Annotated[tuple[AnyReceiver, ...], Meta(description="who is told what happens, and how")] = ()
    alerts: Annotated[
        tuple[AlertSpec, ...], Meta(description="which alert means which runbook; the first that matches counts")
    ] = ()
    serve: Annotated[
        ServeSpec | None,
        Meta(description="how the pages of `runbook serve` are reached, who may what, how long a session lasts"),
    ] = None
