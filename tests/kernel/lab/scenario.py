"""What a scenario is, what a diagnosis must say of it, and the list of them."""

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
class Truth:
    """What a right diagnosis of a scenario says.

    runbook:  the runbook that must recognise it; empty for a healthy guest.
    incident: that runbook's incident applies and is the primary one; False if only its checks fire.
    checks:   ids of that runbook's checks that must fire.
    cause:    part of the name that must come first among its causes.
    beside:   runbooks whose incident may apply as well, below the primary.
    allowed:  checks of severity warning or critical that may fire beside those, as RUNBOOK.CHECK. Any other is wrong.
    says:     words that `diagnose` prints for whoever reads it: the names that must be told.
    targets:  the services and processes that a runbook whose incident applies may act on; None if that is left open.
    healthy:  no incident applies, no runbook plans a change and no warning fires but those allowed.
    watch:    the value for `diagnose --watch`; empty for the plain sample.
    """

    runbook: str = ""
    incident: bool = True
    checks: tuple[str, ...] = ()
    cause: str = ""
    beside: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    targets: tuple[str, ...] | None = None
    healthy: bool = False
    watch: str = ""


HEALTHY = Truth(healthy=True)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A state of a guest, how to bring it about, and how to know that it is there."""

    name: str
    summary: str
    prepare: Callable[[Guest], None]
    reached: Callable[[Guest], bool]
    truth: Truth = HEALTHY
    seconds: float = 300
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
