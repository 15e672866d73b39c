"""Finds every fact and every action by looking into their folders; no registry is edited."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
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
def actions() -> Mapping[str, type[Action]]:
    """Every action by its YAML word, the file's name."""
    return {name: kind for name, module in _modules(action_folder) for kind in _own_actions(module)}


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric by its full name."""
    return catalogue(facts())


def _modules(folder: ModuleType) -> list[tuple[str, ModuleType]]:
    names = sorted(info.name for info in pkgutil.iter_modules(folder.__path__) if not info.ispkg)
    return [(name, importlib.import_module(f"{folder.__name__}.{name}")) for name in names]


def _own_actions(module: ModuleType) -> list[type[Action]]:
    kinds = [value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Action)]
    return [kind for kind in kinds if kind.__module__ == module.__name__]
