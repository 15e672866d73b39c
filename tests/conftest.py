"""What holds for all tests: Ctrl-C works, /run is their own, no example of a property is timed (bench/ times)."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests import reruns
from tests.apart import own_run_folder

# A shell's background job, and so its children, ignore it: then no test of an interruption could pass.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Tests start thousands of commands: where each compiles its modules anew, that is half of what they cost.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.register_profile("short", parent=settings.get_profile("untimed"), max_examples=10)  # of libraries' versions
settings.load_profile("untimed")

own_run_folder()


def pytest_configure(config: pytest.Config) -> None:
    """Second tries are told below everything else."""
    config.pluginmanager.register(reruns)


@pytest.fixture(autouse=True)
def _commands_as_they_are() -> Iterator[None]:
    """What was typed of one command, which a process has but one of, counts for no other test."""
    yield
    if (completing := sys.modules.get("memrunbook.ui.completing")) is not None:
        completing.complete_by(None)
