"""Finds every fact and every action by looking into their folders; no registry is edited."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from memrunbook import actions as action_folder
from memrunbook import facts as fact_folder
from memrunbook.core.action.action import Action
from memrunbook.core.reading.fact import Fact
from memrunbook.core.reading.metric import Metric, catalogue


@cache
def facts() -> Mapping[str, Fact]:
    """Every fact by its name, the file's name."""
    found = {name: getattr(module, "FACT", None) for name, module in _modules(fact_folder)}
    return {name: fact for name, fact in found.items() if isinstance(fact, Fact)}


@cache
def standing_facts() -> frozenset[str]:
    """The names of those that a diagnosis reads: all but what only a run asks."""
    return frozenset(name for name, fact in facts().items() if not fact.in_runs)


@cache
def actions() -> Mapping[str, type[Action]]:
    """Every action by its YAML word, the file's name."""
    return {name: kind for name, module in _modules(action_folder) for kind in _own_actions(module)}


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric by its full name."""
    return catalogue(facts())


def _modules(folder: ModuleType) -> list[tuple[str, ModuleType]]:
    # pkgutil would do the same and costs more to import than all that the folder holds.
    files = [Path(entry) for place in folder.__path__ for entry in Path(place).iterdir()]
    names = sorted(file.stem for file in files if file.suffix == ".py" and file.stem != "__init__")
    return [(name, importlib.import_module(f"{folder.__name__}.{name}")) for name in names]


def _own_actions(module: ModuleType) -> list[type[Action]]:
    kinds = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Action)]
    return [kind for kind in kinds if kind.__module__ == module.__name__]
