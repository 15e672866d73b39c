"""One file a way to tell somebody who is not at the keyboard, found by its name: `way:` of `notify:` in config.yaml."""

from __future__ import annotations

import functools
import importlib
import operator
import pkgutil
from typing import TYPE_CHECKING, Any

from memrunbook.receivers.shared.receiver import Receiver

if TYPE_CHECKING:
    AnyReceiver = Receiver
else:

    def _found() -> Any:
        """The classes of all files as one type, so that the schema of config.yaml has the options of each."""
        names = [info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg]
        modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
        kinds = [
            kind
            for module in modules
            for kind in vars(module).values()
            if isinstance(kind, type) and issubclass(kind, Receiver) and kind.__module__ == module.__name__
        ]
        return functools.reduce(operator.or_, kinds)

    AnyReceiver = _found()
