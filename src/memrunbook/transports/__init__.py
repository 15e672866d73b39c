"""One file a way to reach a host, found by its name; `shared` holds what they use.

A transport is a module with `way(reach)`, which returns the connector of each host.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from memrunbook.core.errors import UsageError

if TYPE_CHECKING:
    from memrunbook.transports.shared.reach import Reach, Way


def names() -> list[str]:
    """The transports that a host may name."""
    found = (info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    return sorted(name for name in found if hasattr(importlib.import_module(f"{__name__}.{name}"), "way"))


def way(name: str, reach: Reach) -> Way:
    """The way of a transport; UsageError where there is none of that name."""
    if not name.isidentifier() or (name not in {info.name for info in pkgutil.iter_modules(__path__)}):
        raise UsageError(f"there is no transport {name!r}", hint=f"there are: {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    if not hasattr(module, "way"):
        raise UsageError(f"{name!r} is no transport", hint=f"there are: {', '.join(names())}")
    found: Way = module.way(reach)
    return found
