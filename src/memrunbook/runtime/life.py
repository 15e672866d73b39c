"""A life: all that is done for one host, as a generator that asks for its waits and never sleeps."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from memrunbook.core.errors import Interrupted, RunbookError
from memrunbook.runtime.ports import Clock

R = TypeVar("R")


@dataclass(frozen=True)
class Pause:
    """What a life asks for: to be resumed when so many seconds have passed, or with Interrupted before that.

    With `at_work` it counts as being at work meanwhile: no other host may take its place.
    """

    seconds: float
    at_work: bool = False


@dataclass(frozen=True)
class Finished(Generic[R]):
    """A life came to its end with this result."""

    result: R


Life = Generator[Pause, None, R]


def resume(life: Life[R], wake: Interrupted | None = None) -> Pause | Finished[R]:
    """Lets a life go on to its next pause or its end; with `wake` that is thrown in where it waits."""
    try:
        return next(life) if wake is None else life.throw(wake)
    except StopIteration as end:
        return Finished(end.value)


def nothing() -> None:
    """There is nothing to do meanwhile."""


def run_alone(life: Life[R], clock: Clock, meanwhile: Callable[[], object] = nothing) -> R:
    """The result of a single life, lived in this thread; its first pause begins with doing `meanwhile`.

    When a person asks to stop (the clock raises Interrupted), the life is told and goes on to its own end. Whatever
    else is raised in a pause (KeyboardInterrupt) ends the life, which is told Interrupted, and is raised here then.
    """
    step = resume(life)
    while isinstance(step, Pause):
        began = clock.now()
        wake: Interrupted | None = None
        try:
            meanwhile()
            meanwhile = nothing
            clock.sleep(max(0.0, step.seconds - clock.now().since(began)))
        except Interrupted as stop:
            wake = stop
        except BaseException:
            _abandon(life)
            raise
        step = resume(life, wake)
    return step.result


def _abandon(life: Life[R]) -> None:
    """Ends a life in its pause: it may clean up and remember its end, but not wait again."""
    with suppress(StopIteration, RunbookError):
        life.throw(Interrupted())
    life.close()
