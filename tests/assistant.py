"""An assistant: the SDK's own client, which starts the real command and speaks to it over stdin and stdout."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from tests.cli.console import MAIN, WORDS, environment

T = TypeVar("T")
PATIENCE = 100.0


@dataclass(frozen=True)
class Said:
    """What one call came to."""

    text: str
    document: dict[str, Any]
    failed: bool

    def refused(self, code: int, *words: str) -> dict[str, Any]:
        """It is an error of the tool with what, where, hint and code, and no traceback."""
        assert self.failed, self.text
        error: dict[str, Any] = self.document["error"]
        assert error["code"] == code, error
        assert error["what"], error
        assert "Traceback" not in self.text
        for word in words:
            assert word in self.text, self.text
        return error


def params(*words: str, **env: str) -> StdioServerParameters:
    """How a client starts the server."""
    command, option, _ = WORDS
    return StdioServerParameters(command=command, args=[option, MAIN_TOLD, "mcp", *words], env=environment(**env))


LOADED = "loaded at the end:"
MAIN_TOLD = f"""
import atexit, os, sys

def told():
    print("{LOADED}", *sorted(sys.modules), file=sys.stderr, flush=True)

def leave(code, end=os._exit):
    told()
    end(code)

os._exit = leave
atexit.register(told)
{MAIN}
"""
"""The command, which says on stderr what it has loaded when it ends."""


def talk(*words: str, to: Callable[[Client], Awaitable[T]], **env: str) -> tuple[T, str]:
    """Starts a server, has a talk with it, and ends it; what came of that, and what the server wrote on stderr."""

    async def talking() -> T:
        with anyio.fail_after(PATIENCE):
            async with Client(stdio_client(params(*words, **env), errlog=log)) as client:
                return await to(client)

    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        found = anyio.run(talking)
        log.seek(0)
        return found, log.read()


@dataclass(frozen=True)
class Assistant:
    """A server that goes on, and who talks to it: one talk after the other."""

    portal: BlockingPortal
    client: Client

    def talk(self, to: Callable[[Client], Awaitable[T]]) -> T:
        async def talking() -> T:
            with anyio.fail_after(PATIENCE):
                return await to(self.client)

        return self.portal.call(talking)

    def ask(self, name: str, **arguments: Any) -> Said:
        return self.talk(lambda client: call(client, name, **arguments))


@contextmanager
def assistant(*words: str, **env: str) -> Iterator[Assistant]:
    """One server for many talks: to start it costs more than what it is asked. None of them may leave a traceback."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        with start_blocking_portal() as portal:
            client = Client(stdio_client(params(*words, **env), errlog=log))
            with portal.wrap_async_context_manager(client) as entered:
                yield Assistant(portal, entered)
        log.seek(0)
        said = log.read()
        assert "Traceback" not in said, said


def loaded(log: str) -> frozenset[str]:
    """The modules that a server had loaded at its end."""
    [line] = [line for line in log.splitlines() if line.startswith(LOADED)]
    return frozenset(line.removeprefix(LOADED).split())


async def call(client: Client, name: str, **arguments: Any) -> Said:
    """One call of a tool."""
    told = await client.call_tool(name, arguments)
    [part] = told.content
    assert part.type == "text"
    return Said(part.text, told.structured_content or {}, told.is_error)


def ask(*words: str, name: str, arguments: dict[str, Any], **env: str) -> Said:
    """One call of a server of its own."""
    return talk(*words, to=lambda client: call(client, name, **arguments), **env)[0]
