"""What holds for every action, found by listing the folder: a new file is tested by existing."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
from tests.unit.actions.decisions import Use, change
from tests.unit.actions.hosts import API, READINGS, host

from memrunbook import actions as folder
from memrunbook import catalog
from memrunbook.actions.shared.scripts import LOOK_ONLY
from memrunbook.core.action.action import Action, Change, Repeat, Risk, Undo
from memrunbook.core.action.policy import UnitPolicy
from memrunbook.core.reading.metric import metrics_of
from memrunbook.core.runbook.condition import Scope
from memrunbook.core.units import GIB
from memrunbook.documents.schemas import schema

FOLDER = Path(folder.__path__[0])
ACTS_ON = {
    "restart_container": ("container:web", f"container:{'c0ffee' * 10}abcd", "container:shop/web:1.2", "container:web"),
    "set_oom_score_adj": ("process:search-api", "unit:search-api.service"),
    "stop_process": ("process:report.py", "unit:session-7.scope"),
}
"""What is hit beside `touches` by the uses that the actions' tests name: what config.yaml may forbid."""
ACTIONS = sorted(catalog.actions().items())
each_action = pytest.mark.parametrize(("word", "kind"), [pytest.param(*found, id=found[0]) for found in ACTIONS])


def use_of(word: str) -> Use:
    """The use of an action that its own test names."""
    use = importlib.import_module(f"tests.unit.actions.test_{word}").USE
    assert isinstance(use, Use)
    return use


def proposed(word: str, changes: dict[str, object] | None = None) -> Change:
    use = use_of(word)
    return change(use.action, host({**use.on, **(changes or {})}))


def test_a_file_defines_one_action_and_nothing_else_lies_there() -> None:
    for info in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        own = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
        kinds = [kind for kind in own if issubclass(kind, Action)]
        assert kinds == ([] if info.name == "shared" else [catalog.actions()[info.name]]), info.name


@each_action
def test_it_is_named_after_its_file_and_says_what_it_does(word: str, kind: type[Action]) -> None:
    assert kind.__module__ == f"memrunbook.actions.{word}"
    assert kind.__name__ == "".join(part.capitalize() for part in word.split("_"))
    assert (kind.__doc__ or "").strip().endswith(".")


@each_action
def test_every_parameter_says_what_it_is_for(word: str, kind: type[Action]) -> None:
    described = schema(kind)["$defs"][kind.__name__]
    assert all(parameter.get("description") for parameter in described["properties"].values()), word
    assert described["additionalProperties"] is False


@each_action
def test_what_is_about_the_whole_host_touches_no_service(word: str, kind: type[Action]) -> None:
    made = proposed(word)
    assert not kind.host_wide or (made.touches, made.acts_on) == ("", ()), word
    assert not kind.host_wide or kind.policy == "", word


@each_action
def test_the_facts_that_it_needs_exist(word: str, kind: type[Action]) -> None:
    assert set(kind.needs) <= set(catalog.facts()), word
    assert kind.policy in {"", *UnitPolicy.__struct_fields__}


@each_action
def test_a_change_keeps_what_its_class_promises(word: str, kind: type[Action]) -> None:
    made = proposed(word)
    assert made.action == word
    assert made.risk <= kind.max_risk
    assert made.repeat is kind.repeat
    assert made.target
    assert made.summary
    assert made.command
    assert "\n" not in made.command
    assert not kind.policy or made.touches
    assert not kind.only_target or made.target == kind.only_target
    assert tuple(part for part in made.acts_on if not part.endswith(":")) == ACTS_ON.get(word, ())
    assert (made.undo.mode if made.undo else "none") == kind.undo_mode
    assert made.undo is not None or not made.back_after


@each_action
def test_no_change_of_it_can_have_a_higher_risk_or_an_undo_that_it_does_not_promise(
    word: str, kind: type[Action]
) -> None:
    action = use_of(word).action
    assert type(action) is kind
    change_of = partial(action.change, summary="Act", target="web", script="act", command="act")
    for risk in Risk:
        if risk <= kind.max_risk:
            assert change_of(risk=risk).risk is risk
        else:
            with pytest.raises(ValueError, match="is above"):
                change_of(risk=risk)
    if kind.undo_mode == "none":
        with pytest.raises(ValueError, match="undo mode"):
            change_of(undo=Undo("back", "back"))


@each_action
def test_every_undo_can_look_before_it_acts(word: str, kind: type[Action]) -> None:
    undo = proposed(word).undo
    assert undo is None or LOOK_ONLY in undo.script
    assert undo is None or undo.mode == "auto" or undo.costs, "what is asked about says what it may cost"
    assert (undo is None) == (kind.undo_mode == "none")


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.py")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_changes_are_made_by_their_class_alone(file: Path) -> None:
    """So that word, repeat class, undo mode and highest risk, said once of a class, hold for each of its changes."""
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(call, ast.Call):
            function = ast.unparse(call.func)
            assert function != "Change"
            if function.endswith("replace"):
                assert not {keyword.arg for keyword in call.keywords} & {"action", "risk", "repeat"}


@each_action
def test_what_changes_a_host_has_a_proof_a_price_and_an_identity(word: str, kind: type[Action]) -> None:
    made = proposed(word)
    if made.repeat is Repeat.READ:
        assert made.evidence
        assert made.risk is Risk.NONE
        return
    assert made.risk > Risk.NONE
    assert "boot b001" in made.identity
    if word != "run_command":
        assert made.verify is not None
        assert made.costs
        assert made.verify.within > made.verify.hold


@each_action
def test_its_proof_is_a_condition_over_known_metrics(word: str, kind: type[Action]) -> None:
    made = proposed(word)
    if made.verify is not None:
        scope = Scope(metrics=catalog.metrics(), parameters={}, step=True)
        assert scope.compile(made.verify.that, boolean=True).facts


@each_action
def test_scripts_are_constants_that_never_end_the_shell(word: str, kind: type[Action]) -> None:
    made = proposed(word)
    scripts = [made.script, *([made.undo.script] if made.undo else [])]
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
    before, after = proposed(word), proposed(word, other)
    assert after.digest == before.digest
    assert after.args == before.args


def counts(fact: str) -> Iterator[tuple[str, float]]:
    """The numbers that a fact has on the healthy host, by metric."""
    for name, metric in metrics_of(fact, catalog.facts()[fact]).items():
        value = host().value(name) if fact in READINGS and metric.kind in ("int", "double") else None
        if isinstance(value, int | float):
            yield name, value


@each_action
def test_scripts_and_digests_know_nothing_of_the_host(word: str, kind: type[Action]) -> None:
    """A number that was measured may move a little between plan and gate; only a higher risk asks for another yes."""
    use, before = use_of(word), proposed(word)
    for fact in kind.needs:
        for name, value in counts(fact):
            after = use.action.decide(host({**use.on, name: value + (1 if isinstance(value, int) else 0.01)}))
            if isinstance(after, Change):
                assert after.script == before.script, name
                assert msgspec.structs.replace(after, risk=before.risk).digest == before.digest, name


@each_action
def test_without_a_single_fact_nothing_is_changed(word: str, kind: type[Action]) -> None:
    decision = use_of(word).action.decide(msgspec.structs.replace(host(), readings={}))
    assert not isinstance(decision, Change) or kind.repeat is Repeat.READ


@each_action
def test_on_a_kubernetes_node_nothing_is_changed(word: str, kind: type[Action]) -> None:
    use = use_of(word)
    decision = use.action.decide(host({**use.on, "host.kubernetes": True}))
    assert not isinstance(decision, Change) or kind.repeat is Repeat.READ


@each_action
def test_what_an_action_should_move_is_measured_and_what_only_looks_moves_nothing(
    word: str, kind: type[Action]
) -> None:
    known = catalog.metrics()
    assert all(known[name].kind in ("int", "double") for name in kind.moves or ()), word
    assert kind.repeat is not Repeat.READ or kind.moves == {}
