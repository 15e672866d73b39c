"""Finds the runbooks and schemas that come with the engine."""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

import memrunbook


def shipped(what: Literal["runbooks", "schemas"]) -> Traversable:
    """The folder of shipped files: inside the package when installed from a wheel, else that of the checkout."""
    packed = resources.files(memrunbook) / "shipped" / what
    return packed if packed.is_dir() else Path(memrunbook.__file__).parents[2] / what
