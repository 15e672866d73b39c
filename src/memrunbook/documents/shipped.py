"""Finds the runbooks and schemas that come with the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import memrunbook


def shipped(what: Literal["runbooks", "schemas"]) -> Path:
    """The folder of shipped files: inside the package when installed from a wheel, else that of the checkout.

    A plain path, since importlib.resources costs a tenth of the start-up and pip always unpacks a wheel.
    """
    package = Path(memrunbook.__file__).parent
    packed = package / "shipped" / what
    return packed if packed.is_dir() else package.parents[1] / what
