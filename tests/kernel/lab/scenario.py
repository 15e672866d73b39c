"""What a scenario is, and the list of them."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from tests.kernel import scenarios
from tests.kernel.lab.configuration import MAIN, Configuration
from tests.kernel.lab.errors import LabError
from tests.kernel.lab.guest import Guest
from tests.kernel.lab.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Scenario:
    """A state of a guest, how to bring it about, and how to know that it is there."""

    name: str
    summary: str
    prepare: Callable[[Guest], None]
    reached: Callable[[Guest], bool]
    seconds: float = 180
    configuration: Configuration = MAIN

    def enter(self, guest: Guest) -> None:
        """Bring *guest* into the state; raise DeadlinePassed if it is not reached within `seconds`."""
        self.prepare(guest)
        wait_until(lambda: self.reached(guest), seconds=self.seconds, what=self.summary)


def names() -> list[str]:
    """Return the names of all scenarios, one a module of `tests/kernel/scenarios`."""
    return sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__))


def named(name: str) -> Scenario:
    """Return a scenario; raise LabError with the names there are if it is none of them."""
    name = name.replace("-", "_")
    if name not in names():
        message = f"no scenario {name!r}; there are: {', '.join(names())}"
        raise LabError(message)
    found: Scenario = importlib.import_module(f"{scenarios.__name__}.{name}").SCENARIO
    return found
