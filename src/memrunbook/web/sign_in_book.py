"""Writes down what happens where people sign in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from memrunbook.runtime.clock import SystemClock
from memrunbook.state.sign_ins import SignIn, SignInEvent, record_sign_in


@dataclass(frozen=True)
class SignInBook:
    """The audit of sign-ins of a state directory."""

    state: Path

    async def recorded(self, event: SignInEvent, how: str, request: Request, **about: str) -> None:
        """Writes down what happened, beside the server."""
        address = request.client.host if request.client is not None else ""
        await asyncio.to_thread(self.record, event, how, address=address, **about)

    def record(self, event: SignInEvent, how: str, **about: str) -> None:
        """Writes down what happened; what is said of it are fields of SignIn."""
        record_sign_in(self.state, SignIn(at=SystemClock().now().isoformat(), event=event, how=how, **about))
