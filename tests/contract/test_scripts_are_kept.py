"""What an action runs stands in the journal as it is: an undo is carried out from there."""

import importlib
import pkgutil

import pytest

from memrunbook import actions
from memrunbook.runtime.redaction import redact

MODULES = sorted(info.name for info in pkgutil.walk_packages(actions.__path__, "memrunbook.actions.") if not info.ispkg)


@pytest.mark.parametrize("module", MODULES)
def test_nothing_of_a_constant_script_looks_like_a_secret(module: str) -> None:
    found = {name: text for name, text in vars(importlib.import_module(module)).items() if isinstance(text, str)}
    assert {name: redact(text) for name, text in found.items()} == found
