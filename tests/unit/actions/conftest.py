"""Offers the machine fixture to the tests of every action."""

from tests.unit.actions.shells import machine

__all__ = ["machine"]
