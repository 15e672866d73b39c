"""Imports paramiko without `invoke`, which only `Match exec` needs and which costs half of the import."""

from __future__ import annotations

import importlib
import sys
import threading

_turn = threading.Lock()


def load_paramiko() -> None:
    """Imports paramiko once; a missing `invoke` is something that it is prepared for."""
    with _turn:
        if "paramiko" in sys.modules or "invoke" in sys.modules:
            return
        sys.modules["invoke"] = None  # type: ignore[assignment]  # Python's own way to say: not importable
        try:
            importlib.import_module("paramiko")
        finally:
            del sys.modules["invoke"]
