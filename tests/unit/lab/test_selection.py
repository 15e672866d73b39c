"""Which tests on guests run: the fixed core, and what leans on a changed file."""

from __future__ import annotations

import ast

import pytest
from tests.kernel import concerns
from tests.kernel.lab.configuration import CONFIGURATIONS, KERNELS
from tests.kernel.lab.scenario import named, names
from tests.kernel.selection import MOST, Candidate, reached, select

IMPORTS = {
    "a": frozenset({"shared"}),
    "shared": frozenset({"deep"}),
    "deep": frozenset({"shared"}),
    "b": frozenset[str](),
}
ZRAM = "test_compressed_swap_is_set_up_and_taken_back_with_what_is_on_it"
CANDIDATES = [
    Candidate("always", core=True),
    Candidate("first", core=False, files=reached(["a"], IMPORTS)),
    Candidate("second", core=False, files=reached(["b"], IMPORTS)),
]


def kept(*changed: str) -> list[str]:
    return list(select(CANDIDATES, frozenset(changed), "main").kept)


def files(name: str, where: str = "main") -> frozenset[str]:
    return concerns.files_of_scenario(name, CONFIGURATIONS[where])


def test_imports_are_followed_to_their_end_and_in_circles() -> None:
    assert reached(["a"], IMPORTS) == {"a", "shared", "deep"}
    assert reached(["b", "new"], IMPORTS) == {"b", "new"}


def test_the_core_runs_always_and_the_rest_by_what_changed() -> None:
    assert kept() == ["always"]
    assert kept("nobody's") == ["always"]
    assert kept("b") == ["always", "second"]
    assert kept("deep") == ["always", "first"]
    assert kept("deep", "b") == ["always", "first", "second"]


def test_what_runs_and_what_does_not_is_told_in_a_few_lines() -> None:
    changed = frozenset({"a", "shared", "deep"})
    assert list(select(CANDIDATES, changed, "main").lines()) == [
        "kernel tests: 1 scenarios of the core always; of the rest what changed against main",
        "  selected by a, deep and 1 more: first",
        "  left out (FULL=1 runs them too), 1: second",
    ]


def test_of_many_that_changed_some_run_at_a_time_and_all_in_turn() -> None:
    names = [f"t{number}" for number in range(MOST + 5)]
    many = [Candidate("always", core=True), *(Candidate(name, core=False, files=frozenset({"x"})) for name in names)]
    chosen = select(many, frozenset({"x"}), "main", turn=MOST)
    assert set(chosen.kept) == {"always", *names[MOST:], *names[: MOST - 5]}
    assert chosen.later == chosen.left_out == tuple(names[MOST - 5 : MOST])
    assert list(chosen.lines())[-1].startswith(
        "  left for another commit (FULL=1 runs them too), 5 more of what changed"
    )
    seen = {test for turn in range(len(names)) for test in select(many, frozenset({"x"}), "main", turn=turn).kept}
    assert seen == {"always", *names}


def test_the_core_has_every_runbook_every_configuration_and_the_healthy_ones() -> None:
    assert set(concerns.CORE_OF) == {path.stem for path in concerns.RUNBOOKS.glob("*.yaml")}
    tried = [(name, where.name) for name, where in concerns.tried(everywhere=False)]
    core = {(name, where.name) for name, where in concerns.tried(everywhere=False) if concerns.in_core(name, where)}
    assert core.issuperset(concerns.CORE_OF.values())
    assert {where for _, where in core} == set(CONFIGURATIONS)
    assert {(name, named(name).configuration.name) for name, _ in tried if name.endswith("_healthy")} <= core
    assert len(core) < len(tried) / 2
    for runbook, (name, _) in concerns.CORE_OF.items():
        assert runbook in (named(name).truth.runbook, "preventive-maintenance"), "which is its own runbook's"


def test_a_scenario_leans_on_its_runbook_the_facts_and_actions_of_that_and_its_own_state() -> None:
    leans = files("swap_thrash", "no-psi")
    assert leans > {
        "runbooks/swap-thrashing.yaml",
        "src/memrunbook/facts/vmstat.py",
        "src/memrunbook/facts/shared/numbers.py",
        "src/memrunbook/linux/service.py",
        "src/memrunbook/actions/freeze_unit.py",
        "src/memrunbook/actions/shared/guards.py",
        "tests/kernel/scenarios/swap_thrash.py",
        "tests/kernel/programs/wander.c",
    }
    assert "runbooks/memory-leak.yaml" not in leans
    assert "src/memrunbook/facts/thp.py" not in leans
    assert not any("/core/" in file for file in leans)
    assert all((concerns.ROOT / file).is_file() for file in leans)


def test_a_scenario_leans_on_the_one_that_it_is_made_from_and_on_its_treatment() -> None:
    assert "tests/kernel/scenarios/swap_thrash.py" in files("mixed_thrash")
    assert "tests/kernel/treatments.py" in files("mixed_thrash")
    assert "tests/kernel/treatments.py" not in files("tmpfs_hog")


def test_a_healthy_host_leans_on_every_runbook() -> None:
    assert {f"runbooks/{name}.yaml" for name in concerns.CORE_OF} <= files("cache_full_healthy", "no-psi")


def test_a_changed_fact_selects_what_reads_it() -> None:
    changed = frozenset({"src/memrunbook/facts/shm.py", "src/memrunbook/actions/setup_zram.py"})
    chosen = select(concerns.candidates(everywhere=False), changed, "main")
    assert {"shm_left", "tmpfs_hog", ZRAM} <= {*chosen.kept, *chosen.later}
    assert {"fragmentation_pinned", "test_dirty_limits_are_set_and_taken_back"} <= set(chosen.left_out)


@pytest.mark.parametrize("file", concerns.ACTIONS_OF)
def test_the_tests_that_are_chosen_by_their_actions_are_there(file: str) -> None:
    assert concerns.ACTIONS_OF[file].keys() < functions_of(file), "and one of the file at least runs always"


def functions_of(file: str) -> set[str]:
    tree = ast.parse((concerns.ROOT / "tests/kernel" / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("file", concerns.FILES_OF)
def test_the_tests_that_are_chosen_by_files_are_there_and_so_are_the_files(file: str) -> None:
    assert concerns.FILES_OF[file].keys() <= functions_of(file)
    named = [one for files in concerns.FILES_OF[file].values() for one in files]
    assert [one for one in named if not (concerns.ROOT / one).is_file()] == []


def test_a_changed_scheduler_selects_its_test_on_a_guest_and_what_takes_long_needs_all_of_them() -> None:
    (short,), (long,) = concerns.FILES_OF["test_scheduler.py"], concerns.FILES_OF["test_slow_leak.py"]
    changed = frozenset({"src/memrunbook/app/scheduler.py", "tests/kernel/test_slow_leak.py"})
    chosen = select(concerns.candidates(everywhere=False), changed, "main")
    assert chosen.kept[short] == "src/memrunbook/app/scheduler.py"
    assert long in chosen.left_out


def test_everywhere_is_every_scenario_with_every_kernel_unless_it_needs_other_hardware() -> None:
    usual, everywhere = (set(concerns.tried(everywhere=all_of_them)) for all_of_them in (False, True))
    assert usual < everywhere
    plain = {name for name in names() if named(name).configuration in KERNELS}
    assert everywhere - usual <= {(name, kernel) for name in plain for kernel in KERNELS} <= everywhere
    assert {"node_thrash", "ballooned"} <= {name for name, _ in usual} - plain
