"""What each test on a guest leans on: the runbook, the facts that it reads, the actions of its steps, its own state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.kernel.changes import Repository, imports
from tests.kernel.lab.configuration import CONFIGURATIONS, KERNELS, Configuration
from tests.kernel.lab.scenario import named, names
from tests.kernel.matrix import PAGE, titled
from tests.kernel.selection import Candidate, Selection, reached, select
from tests.kernel.treatments import TREATMENTS

from memrunbook import catalog
from memrunbook.documents.runbooks import load_runbook

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "runbooks"
PRODUCT = ("src/memrunbook/facts", "src/memrunbook/actions", "src/memrunbook/linux")
"""The core is no part of it: every test leans on all of the core, so any of them proves it."""
SCENARIOS, PROGRAMS = "tests/kernel/scenarios", "tests/kernel/programs"
INSTALLED = re.compile(r'\binstall\("(\w+)"\)')
CORE_OF = {
    "kernel-tuning": ("map_count", "main"),
    "memory-fragmentation": ("fragmentation", "main"),
    "memory-leak": ("two_growing", "main"),
    "memory-shortage": ("refilling_service", "main"),
    "oom-event": ("leaking_service", "main"),
    "preventive-maintenance": ("fragmentation", "no-psi"),
    "swap-capacity": ("no_swap", "main"),
    "swap-exhausted": ("swap_exhausted", "main"),
    "swap-thrashing": ("swap_thrash", "main"),
    "writeback-stall": ("dirty_stall", "main"),
}
"""For each runbook the scenario that runs always, with its configuration; the runbook is run on that guest as well."""
CORE_BESIDE = {
    ("leaking_service", "cgroup-v1"),
    ("node_thrash", "two-nodes"),
    ("pipe_unit", "roomy"),
    ("ballooned", "balloon"),
    ("ballooned", "hidden-balloon"),
}
"""The configurations that no scenario above has; the healthy scenarios are of the core too."""
ELSEWHERE = {
    "no-psi": ("cache_full_healthy", "file_thrash", "fragmentation", "swap_thrash"),
    "cgroup-v1": ("cache_full_healthy", "leaking_service", "swap_thrash"),
    "hidden-balloon": ("ballooned",),
}
"""The scenarios that run in another configuration than their own; with EVERYWHERE=1 all that need no other hardware."""
ACTIONS_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "test_single_actions.py": {
        "test_dirty_limits_are_set_and_taken_back": ("set_dirty_limits",),
        "test_settings_of_sys_are_set_and_taken_back": ("set_thp", "set_lru_gen_min_ttl"),
        "test_idle_huge_pages_are_released_and_taken_back": ("release_hugepages",),
        "test_a_stray_process_is_killed_where_it_does_not_end": ("stop_process",),
    },
    "test_swap_actions.py": {
        "test_compressed_swap_is_set_up_and_taken_back_with_what_is_on_it": ("setup_zram",),
    },
    "test_temporary.py": {"test_a_frozen_service_thaws_by_itself": ("freeze_unit",)},
}
"""Tests that run when one of these actions, or their file, changed; what is neither here nor a scenario runs always."""
PLACE = "src/memrunbook/"
FILES_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "test_scheduler.py": {
        "test_systemd_keeps_the_scheduler_and_each_firing_happens_once": (
            f"{PLACE}app/firing.py",
            f"{PLACE}app/firing_records.py",
            f"{PLACE}app/scheduler.py",
            f"{PLACE}cli/commands/schedule.py",
            f"{PLACE}cli/scheduling.py",
            f"{PLACE}cli/service_manager.py",
            f"{PLACE}core/schedule.py",
            f"{PLACE}documents/systemd_units.py",
            f"{PLACE}state/store/firings.py",
            "tests/kernel/lab/product.py",
        ),
    },
    "test_debian_package.py": {
        "test_the_package_is_installed_used_and_purged": (),
        "test_a_stranger_walks_from_the_package_to_a_run_that_was_approved": (),
    },
    "test_window.py": {
        "test_a_leak_is_restarted_in_its_window_and_told_of_outside_of_it": (
            "runbooks/preventive-maintenance.yaml",
            f"{PLACE}core/action/policy.py",
            f"{PLACE}core/reading/forecast.py",
            f"{PLACE}core/window.py",
            f"{PLACE}facts/shared/leaking_units.py",
        ),
    },
    "test_worked_runbook.py": {
        "test_as_many_workers_as_needed_are_restarted_the_fattest_first": (
            "docs/how-to/worked-runbook.md",
            f"{PLACE}actions/restart_unit.py",
        ),
    },
    "test_slow_leak.py": {"test_a_leak_is_foretold_and_a_schedule_restarts_the_service_before_it_runs_out": ()},
}
"""Tests that run when one of these files, or their own, changed; those that name none take so long that FULL=1 runs
them alone."""


def tried(*, everywhere: bool) -> list[tuple[str, Configuration]]:
    """Each scenario with each configuration that it is tried in."""
    return [
        (name, configuration)
        for name in names()
        for configuration in CONFIGURATIONS.values()
        if name in ELSEWHERE.get(configuration.name, ())
        or configuration == named(name).configuration
        or (everywhere and {configuration, named(name).configuration} <= set(KERNELS))
    ]


def selection(*, everywhere: bool) -> Selection:
    """What is to run against what git says has changed."""
    repository = Repository(ROOT, PAGE)
    base, words = repository.base()
    changed = repository.changed(base) if base else frozenset[str]()
    return select(candidates(everywhere=everywhere), changed, words, int(repository.commit("HEAD") or "0", 16))


def candidates(*, everywhere: bool) -> list[Candidate]:
    """Every scenario as the matrix calls it, and by their names the tests of single actions and of certain files."""
    scenarios = [
        Candidate(titled(name, where.name), in_core(name, where), files_of_scenario(name, where))
        for name, where in tried(everywhere=everywhere)
    ]
    actions = [
        Candidate(test, core=False, files=_reached(files_of_actions(words)) | {f"tests/kernel/{file}"})
        for file, tests in ACTIONS_OF.items()
        for test, words in tests.items()
    ]
    others = [
        Candidate(test, core=False, files=frozenset({*files, f"tests/kernel/{file}"} if files else ()))
        for file, tests in FILES_OF.items()
        for test, files in tests.items()
    ]
    return scenarios + actions + others


def in_core(name: str, configuration: Configuration) -> bool:
    """True where the scenario runs always in that configuration."""
    healthy = named(name).truth.healthy and configuration == named(name).configuration
    return healthy or (name, configuration.name) in {*CORE_OF.values(), *CORE_BESIDE}


def files_of_scenario(name: str, configuration: Configuration) -> frozenset[str]:
    """The scenario's own files, and those of the runbook that must recognise it: of all runbooks on a healthy host."""
    truth = named(name).truth
    own = reached([f"{SCENARIOS}/{name}.py"], _scenario_imports())
    programs = {f"{PROGRAMS}/{program}.c" for file in own for program in INSTALLED.findall((ROOT / file).read_text())}
    treatment = {"tests/kernel/treatments.py"} if (name, configuration.name) in TREATMENTS else set()
    runbooks = [truth.runbook] if truth.runbook else [path.stem for path in RUNBOOKS.glob("*.yaml")]
    return own.union(programs, treatment, *(files_of_runbook(runbook) for runbook in runbooks))


@cache
def files_of_runbook(name: str) -> frozenset[str]:
    """The runbook's file, its facts and the actions of its steps, with all that those import."""
    path = RUNBOOKS / f"{name}.yaml"
    bound = load_runbook(path.read_bytes(), path.name, "tests")
    code = files_of_actions({step.spec.action for step in bound.steps}) + _facts(bound.facts)
    return _reached(code) | {path.relative_to(ROOT).as_posix()}


def files_of_actions(words: Iterable[str]) -> list[str]:
    """The files of actions, and of the facts that they need."""
    files = [f"src/memrunbook/actions/{word}.py" for word in words]
    return files + _facts(fact for word in words for fact in catalog.actions()[word].needs)


def _facts(facts: Iterable[str]) -> list[str]:
    return [f"src/memrunbook/facts/{fact}.py" for fact in facts]


def _reached(start: Iterable[str]) -> frozenset[str]:
    return reached(start, _product_imports())


@cache
def _product_imports() -> dict[str, frozenset[str]]:
    return imports(ROOT, PRODUCT, "memrunbook")


@cache
def _scenario_imports() -> dict[str, frozenset[str]]:
    return imports(ROOT, (SCENARIOS,), "tests.kernel")


def header(*, full: bool, everywhere: bool) -> Iterator[str]:
    """What is said before the tests begin."""
    yield from ["kernel tests: all of them"] if full else selection(everywhere=everywhere).lines()
