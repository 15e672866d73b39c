"""Offers the shells to the tests of what is asked by sh."""

from tests.unit.actions.shells import machine

__all__ = ["machine"]
