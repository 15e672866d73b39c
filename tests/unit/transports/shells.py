"""The shells that the product must work with, as far as this machine has them."""

from __future__ import annotations

import shutil

import pytest

KNOWN = {"dash": ("dash", "-s"), "bash": ("bash", "-s"), "busybox": ("busybox", "sh", "-s")}

each_shell = pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            command, id=name, marks=pytest.mark.skipif(not shutil.which(command[0]), reason=f"{name} is not installed")
        )
        for name, command in KNOWN.items()
    ],
)
