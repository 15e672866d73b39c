"""Offers the machine fixtures to the tests of every action."""

from tests.unit.actions.shells import machine
from tests.unit.actions.swap_host import swap_host

__all__ = ["machine", "swap_host"]
