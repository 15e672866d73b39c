"""Whether a service serves after a change: its health as `services.yaml` asks for it, then its way back."""

from __future__ import annotations

from memrunbook.core.action.action import Change
from memrunbook.core.action.care import health_of, return_of, stays_out
from memrunbook.core.reading.probe import quoted
from memrunbook.core.run.progress import Progress
from memrunbook.core.run.request import Asking, Done, Execute, Executed, Wait, ask
from memrunbook.core.units import format_duration

TOLD = 400
EVERY = 5.0
"""Seconds between two looks at the health of a service."""


def served(progress: Progress, change: Change, label: str) -> Asking[str]:
    """What is wrong with the service itself; empty where it is well and back in service, or nobody asks for that.

    "active" is no health. The look at it is repeated until its deadline; a service that is not well stays drained.
    """
    health, back, care = health_of(change), return_of(change), change.care
    problem = (yield from _well(health, care.health_within, label)) if health and care else ""
    progress.fresh = 0 if health or back else progress.fresh
    if problem:
        stays = f"; it stays out of service until somebody puts it back: {back.command}" if back else ""
        return f"{problem}{stays}"
    if back is not None:
        returned = yield from ask(Execute(label, back))
        if not isinstance(returned, Done):
            return f"it runs, and may still be out of service: {back.command}: {_told(returned)}"
    return ""


def around(change: Change) -> str:
    """What was done around a change that is done, by the commands that did it."""
    health, back, care = health_of(change), return_of(change), change.care
    parts = (
        ("drained", quoted(care.drain) if care else ""),
        ("its health held", health.command if health else ""),
        ("put back into service", back.command if back else ""),
        ("out of service until this is taken back by", _later(change)),
    )
    return "; ".join(f"{word}: {command}" for word, command in parts if command)


def _later(change: Change) -> str:
    return quoted(change.care.undrain) if change.care and stays_out(change) else ""


def _well(health: Change, within: float, label: str) -> Asking[str]:
    """Looks at the health of the service until it is well; what it said last where that does not come in time."""
    looked = yield from ask(Execute(label, health))
    began = looked.at
    while not isinstance(looked, Done):
        if looked.at.since(began) >= within:
            return f"its health did not hold within {format_duration(within)}: {health.command}: {_told(looked)}"
        yield from ask(Wait(EVERY, f"verify {label}: its health"))
        looked = yield from ask(Execute(label, health))
    return ""


def _told(executed: Executed) -> str:
    """What a command said, on one line."""
    said = "; ".join(line.strip() for line in executed.output.splitlines() if line.strip())
    return said[-TOLD:] or (executed.why if not isinstance(executed, Done) else "")
