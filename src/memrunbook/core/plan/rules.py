"""Rules of safety by the kind of host, asked of every decision: what no runbook and no consent may do there. Pure.

What a host is comes from its facts, or from who knows it better: a tag (`--tag standby`). A fact that could not be read
forbids nothing here; actions that rest on it say themselves that it is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from memrunbook.core.action.action import Action, Blocked, Change, Decision, Repeat
from memrunbook.core.action.protect import cluster_unit
from memrunbook.core.plan.held import HOLDS, words_of
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.snapshot import Snapshot

Rule = Callable[[type[Action], Decision, Snapshot], Blocked | None]
Role = Literal["kubernetes", "quorum", "cluster_managed", "hypervisor", "standby"]
ROLES: tuple[Role, ...] = get_args(Role)
"""What a rule asks whether a host is: also the tags that say so."""
SWITCHED_OFF = "host.switched_off"
CORDON = (
    "kubectl cordon NODE, kubectl drain NODE --ignore-daemonsets, then look for the pod that grows "
    "(kubectl top pod -A); the node itself is then worked on by its owner"
)


def ruled_out(action: type[Action], decision: Decision, snapshot: Snapshot) -> Blocked | None:
    """Why what was decided is refused on this kind of host, and what to do instead; None where it may be done.

    What only reads is never refused.
    """
    if action.repeat is Repeat.READ or (isinstance(decision, Change) and decision.repeat is Repeat.READ):
        return None
    return next((blocked for rule in RULES if (blocked := rule(action, decision, snapshot)) is not None), None)


def plays(role: Role, snapshot: Snapshot) -> bool:
    """True where the facts or a tag say that the host has this role."""
    tags = snapshot.value("host.tags")
    if not isinstance(tags, Unavailable) and role in tags:
        return True
    return snapshot.value(f"host.{role}") is True


def host_off_words(snapshot: Snapshot) -> str:
    """Why nothing may be changed on this host, as it says itself; empty where it says nothing."""
    said = snapshot.value(SWITCHED_OFF)
    return "" if isinstance(said, Unavailable) or not said else f"changes are switched off on this host: {said}"


def _switched_off(_action: type[Action], _decision: Decision, snapshot: Snapshot) -> Blocked | None:
    said = host_off_words(snapshot)
    return Blocked(said, SWITCH_ON, rule=True) if said else None


def _kubernetes(_action: type[Action], _decision: Decision, snapshot: Snapshot) -> Blocked | None:
    if not plays("kubernetes", snapshot):
        return None
    return Blocked("this is a Kubernetes node: changes are only reported here", CORDON, rule=True)


def _cluster(_action: type[Action], decision: Decision, snapshot: Snapshot) -> Blocked | None:
    """What a cluster manager starts and stops is not touched behind its back, whoever names it."""
    unit = decision.touches if isinstance(decision, Change) else ""
    if not unit:
        return None
    units = snapshot.value("units.all")
    found = [] if isinstance(units, Unavailable) else [one for one in units if one.name == unit]
    managed = any(getattr(one, "cluster_managed", False) or one.policy.kind == "cluster" for one in found)
    if not managed and not cluster_unit(unit):
        return None
    return Blocked(
        f"{unit} belongs to a cluster, whose manager would take this for a failure",
        "act through the cluster manager (pcs, crm, patronictl)",
        rule=True,
    )


def _quorum(action: type[Action], _decision: Decision, snapshot: Snapshot) -> Blocked | None:
    if action.concerns != "adds swap" or not (plays("quorum", snapshot) or plays("cluster_managed", snapshot)):
        return None
    return Blocked(
        "this host is a member of a quorum: one that swaps is slow where it should be fenced",
        "add memory, or move work to another member",
        rule=True,
    )


def _idle_pages(action: type[Action], _decision: Decision, snapshot: Snapshot) -> Blocked | None:
    if action.concerns != "gives up huge pages":
        return None
    if plays("hypervisor", snapshot):
        return Blocked(
            "this host runs virtual machines, which will ask for the idle huge pages when they start",
            "shrink the pool with the tools of the virtual machines",
            rule=True,
        )
    if plays("standby", snapshot) or plays("cluster_managed", snapshot):
        return Blocked(
            "this host is a standby, or may become one: the idle huge pages are for what it takes over",
            "ask the owner of the cluster; the pool is as large as the active member needs it",
            rule=True,
        )
    return None


def _held(_action: type[Action], decision: Decision, snapshot: Snapshot) -> Blocked | None:
    """What is changed for a while is not changed again meanwhile: the value for a while would be taken for the old one.

    A freeze is another thing: its undo thaws, whoever froze. The very same change may be made again: it was marked, and
    perhaps not made.
    """
    holds = snapshot.value(HOLDS)
    if isinstance(holds, Unavailable) or not isinstance(decision, Change) or decision.undo is None:
        return None
    wanted = _state(decision.target)
    for hold in holds:
        same = hold.action == decision.action or wanted.startswith("vm.")
        if hold.kind != "changed" or hold.what.partition(BACK)[0] == decision.summary.partition(BACK)[0]:
            continue
        if same and _state(hold.name) == wanted:
            why = f"{words_of(hold)}; a change on top of it would keep what is to go away"
            return Blocked(why, f"wait, or take that back first: runbook undo {hold.run}")
    return None


BACK = ", back after "
"""In a summary, what follows is for how long."""


def _state(name: str) -> str:
    """What a name changes: both dirty limits are one state, and so is a parameter with its twin."""
    if name.startswith("vm.dirty"):
        return "vm.dirty"
    return name.removesuffix("_kbytes").removesuffix("_ratio") if name.startswith("vm.overcommit_") else name


SWITCH_ON = "whoever made that file removes it when changes may be made again; plans and diagnoses go on"
RULES: tuple[Rule, ...] = (_switched_off, _kubernetes, _cluster, _quorum, _idle_pages, _held)
