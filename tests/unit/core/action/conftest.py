"""Offers the shells to the tests of what scripts are made of."""

from tests.unit.actions.shells import machine

__all__ = ["machine"]
