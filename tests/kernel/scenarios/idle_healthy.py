"""A guest that does nothing."""

from tests.kernel.lab.guest import Guest
from tests.kernel.lab.readings import available_percent
from tests.kernel.lab.scenario import Scenario

HEALTHY_PERCENT = 50


def _prepare(_guest: Guest) -> None:
    pass


def _reached(guest: Guest) -> bool:
    return available_percent(guest) > HEALTHY_PERCENT


SCENARIO = Scenario("idle_healthy", "an idle host with most of its memory available", _prepare, _reached)
