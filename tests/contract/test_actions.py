"""What holds for every action, found by listing the folder: a new file is tested by existing."""

from __future__ import annotations

import re
import subprocess

import msgspec
import pytest
from tests.unit.actions.hosts import API, COLD_SWAP, FAILED, IDLE_POOL, STRAY, WEB, host

from memrunbook import catalog
from memrunbook.core.action.action import Action, Change, Repeat, Risk
from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.runbook.condition import Scope
from memrunbook.core.units import GIB, Duration, Size
from memrunbook.documents.schemas import schema

# One way to use each action, on a host where it proposes a change.
SHORT: dict[str, object] = {"memory.available_percent": 12.0, "slab.reclaimable_percent": 40.0}
USES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "add_swap_file": ({"size": Size(2 * GIB)}, {}),
    "capture_evidence": ({}, {}),
    "compact_memory": ({"order": 9}, {}),
    "cycle_swap": ({"device": COLD_SWAP.name}, {"swap.devices": [COLD_SWAP]}),
    "drop_caches": ({"what": "all"}, SHORT),
    "freeze_unit": ({"unit": API.name}, {}),
    "limit_unit": ({"unit": API.name, "memory_max": Size(10 * GIB), "for_": Duration(60)}, {}),
    "reclaim_cgroup": ({"unit": API.name, "amount": Size(GIB)}, {}),
    "release_hugepages": ({}, {"hugepages.pools": [IDLE_POOL]}),
    "restart_container": ({"container": WEB.name}, {}),
    "restart_unit": ({"unit": API.name}, {}),
    "run_check_command": ({"command": ("free", "-m")}, {}),
    "run_command": ({"command": ("true",), "risk": "low"}, {}),
    "set_dirty_limits": ({"limit": Size(512 << 20), "background": Size(64 << 20), "for_": Duration(60)}, {}),
    "set_lru_gen_min_ttl": ({"milliseconds": 1000, "for_": Duration(60)}, {}),
    "set_oom_score_adj": ({"pid": 812, "value": 500}, {}),
    "set_sysctl": ({"key": "vm.swappiness", "value": 10, "for_": Duration(60)}, {}),
    "set_thp": ({"enabled": "madvise", "defrag": "defer", "for_": Duration(60)}, {}),
    "setup_zram": ({}, {}),
    "start_unit": ({"unit": FAILED.name}, {}),
    "stop_process": ({"pid": STRAY.pid}, {"processes.all": [STRAY]}),
    "stop_unit": ({"unit": API.name}, {}),
}
ACTIONS = sorted(catalog.actions().items())
each_action = pytest.mark.parametrize(("word", "kind"), [pytest.param(*found, id=found[0]) for found in ACTIONS])


def proposed(word: str, kind: type[Action], changes: dict[str, object] | None = None) -> Change:
    parameters, needed = USES[word]
    decision = kind(**parameters).decide(host({**needed, **(changes or {})}))
    assert isinstance(decision, Change), decision
    return decision


@each_action
def test_a_file_defines_one_action_and_says_what_it_does(word: str, kind: type[Action]) -> None:
    modules = [name for name, other in ACTIONS if other.__module__ == kind.__module__]
    assert modules == [word]
    assert kind.__module__ == f"memrunbook.actions.{word}"
    assert kind.__name__ == "".join(part.capitalize() for part in word.split("_"))
    assert (kind.__doc__ or "").strip().endswith(".")


@each_action
def test_every_parameter_says_what_it_is_for(word: str, kind: type[Action]) -> None:
    described = schema(kind)["$defs"][kind.__name__]
    assert all(parameter.get("description") for parameter in described["properties"].values()), word
    assert described["additionalProperties"] is False


@each_action
def test_the_facts_that_it_needs_exist(word: str, kind: type[Action]) -> None:
    assert set(kind.needs) <= set(catalog.facts()), word
    assert kind.policy in {"", *UnitPolicy.__struct_fields__}


@each_action
def test_a_change_keeps_what_its_class_promises(word: str, kind: type[Action]) -> None:
    change = proposed(word, kind)
    assert change.action == word
    assert change.risk <= kind.max_risk
    assert change.repeat is kind.repeat
    assert change.target
    assert change.summary
    assert change.command
    assert "\n" not in change.command
    assert not kind.policy or change.touches in (API.name, FAILED.name, WEB.name)
    assert (change.undo.mode if change.undo else "none") == kind.undo_mode
    assert change.undo is not None or not change.back_after


@each_action
def test_what_changes_a_host_has_a_proof_a_price_and_an_identity(word: str, kind: type[Action]) -> None:
    change = proposed(word, kind)
    if change.repeat is Repeat.READ:
        assert change.evidence
        assert change.risk is Risk.NONE
        return
    assert change.risk > Risk.NONE
    assert "boot b001" in change.identity
    if word != "run_command":
        assert change.verify is not None
        assert change.costs
        assert change.verify.within > change.verify.hold


@each_action
def test_its_proof_is_a_condition_over_known_metrics(word: str, kind: type[Action]) -> None:
    change = proposed(word, kind)
    if change.verify is not None:
        scope = Scope(metrics=catalog.metrics(), parameters={}, step=True)
        assert scope.compile(change.verify.that, boolean=True).facts


@each_action
def test_scripts_are_constants_that_never_end_the_shell(word: str, kind: type[Action]) -> None:
    change = proposed(word, kind)
    scripts = [change.script, *([change.undo.script] if change.undo else [])]
    for script in scripts:
        assert not re.search(r"(^|[;&|{]\s*|\s)exit\b(?! status)", script), script
        assert API.name not in script
        subprocess.run(["sh", "-n", "-c", script], check=True)


@each_action
def test_measurements_move_neither_the_digest_nor_the_arguments(word: str, kind: type[Action]) -> None:
    other: dict[str, object] = {
        "memory.free_bytes": 20 * GIB,
        "memory.droppable_bytes": 7 * GIB,
        "sysctl.vm.swappiness": 55,
    }
    before, after = proposed(word, kind), proposed(word, kind, other)
    assert after.digest == before.digest
    assert after.args == before.args


@each_action
def test_without_a_single_fact_nothing_is_changed(word: str, kind: type[Action]) -> None:
    parameters, _ = USES[word]
    nothing = msgspec.structs.replace(host(), readings={})
    decision = kind(**parameters).decide(nothing)
    assert not isinstance(decision, Change) or decision.repeat is Repeat.READ


@each_action
def test_on_a_kubernetes_node_nothing_is_changed(word: str, kind: type[Action]) -> None:
    parameters, needed = USES[word]
    node: Snapshot = host({**needed, "host.kubernetes": True})
    decision = kind(**parameters).decide(node)
    assert not isinstance(decision, Change) or decision.repeat is Repeat.READ


def test_every_action_is_used_here() -> None:
    assert {word for word, _ in ACTIONS} <= set(USES), "add a use of the new action to USES"


@each_action
def test_what_an_action_should_move_is_measured_and_what_only_looks_moves_nothing(
    word: str, kind: type[Action]
) -> None:
    known = catalog.metrics()
    assert all(known[name].kind in ("int", "double") for name in kind.moves or ()), word
    assert kind.repeat is not Repeat.READ or kind.moves == {}
