"""The protocol (MCP over stdio): lists the tools, does one call after the other, ends with its client."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import anyio
import anyio.to_thread
import mcp_types as types
import msgspec
from anyio import CapacityLimiter
from mcp.server import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from memrunbook.core.errors import Interrupted, RunbookError, UsageError
from memrunbook.core.text import clean
from memrunbook.core.units import format_duration
from memrunbook.mcp.answer import SentAnswer, object_schema, told, told_error
from memrunbook.mcp.following import Following
from memrunbook.mcp.inputs import LONGEST_READING
from memrunbook.mcp.offered import TOOLS, OfferedTool, instructions
from memrunbook.mcp.served import Served
from memrunbook.mcp.wire import Lines
from memrunbook.runtime.redaction import redact
from memrunbook.version import __version__

NAME = "memrunbook"
QUEUED = 40
"""Calls that may wait for their turn, each in a thread; one more waits without."""
LONGEST = LONGEST_READING + 300.0
"""Seconds that a call may take: its readings, and the way to slow hosts."""
LOOK, BEAT = 0.1, 5.0
"""Seconds between two looks at what a call heard, and after which a silent one says that it lives."""
PLACE = re.compile(r" - at `\$?\.?(.*)`$", re.DOTALL)
DEFECT = "a defect in runbook; a full report lies where the server runs, and its log says where"
CallContext = ServerRequestContext[Any]


async def serve(served: Served) -> None:
    """Serves one client on stdin and stdout until it closes them."""
    tools = {tool.name: tool for tool in TOOLS}
    calls = Calls(served, tools)
    server = Server(
        NAME,
        version=__version__,
        title="memrunbook: memory incidents of Linux hosts, read and propose",
        instructions=instructions(served.inventory),
        on_list_tools=partial(_listed, tuple(map(_described, TOOLS))),
        on_call_tool=calls.answer,
    )
    lines = cast("anyio.AsyncFile[str]", Lines())  # iterated over, and nothing else
    async with stdio_server(stdin=lines) as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def _listed(
    tools: tuple[types.Tool, ...], _context: CallContext, _asked: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    return types.ListToolsResult(tools=list(tools))


def _described(tool: OfferedTool[Any]) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=object_schema(tool.asks),
        output_schema=object_schema(tool.answers),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=not tool.keeps,
            destructive_hint=False,
            idempotent_hint=not tool.keeps,
            open_world_hint=tool.reaches,
        ),
    )


@dataclass
class Calls:
    """Does what is asked for in threads, one call after the other; one that is cancelled stops reading.

    A turn ends with its thread, not with its caller: what compiles expressions and reads documents is no Python, and
    two threads in it at once have ended the process.
    """

    served: Served
    tools: dict[str, OfferedTool[Any]]
    _limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(QUEUED))
    _turn: threading.Lock = field(default_factory=threading.Lock)

    async def answer(self, context: CallContext, asked: types.CallToolRequestParams) -> types.CallToolResult:
        """One call from its request to its result; MCPError for a tool that there is not."""
        tool = self.tools.get(asked.name)
        if tool is None:
            known = ", ".join(self.tools)
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {clean(asked.name)!r}; there are: {known}")
        following = Following()
        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(_report, context, following)
                said = await self._done(tool, asked.arguments or {}, following)
                beside.cancel_scope.cancel()
        finally:
            following.stop.set()
        await _tell(context, following, 0)
        log.info("%s: %s", asked.name, "failed" if said.failed else "answered")
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=said.text)],
            structured_content=said.structured,
            is_error=said.failed,
        )

    async def _done(self, tool: OfferedTool[Any], arguments: dict[str, Any], following: Following) -> SentAnswer:
        work = partial(self._work, tool, arguments, following)
        with anyio.move_on_after(LONGEST):
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._limiter)
        hint = "ask for fewer hosts, or again: calls are answered one after the other"
        late = UsageError(f"no answer came within {format_duration(LONGEST)}", hint=hint)
        return told_error(late, self.served.code_of(late))

    def _work(self, tool: OfferedTool[Any], arguments: dict[str, Any], following: Following) -> SentAnswer:
        with self._turn:
            if not following.stop.is_set():
                return self._answered(tool, arguments, following)
        gone = Interrupted("it was cancelled before its turn")
        return told_error(gone, self.served.code_of(gone))

    def _answered(self, tool: OfferedTool[Any], arguments: dict[str, Any], following: Following) -> SentAnswer:
        try:
            answer = tool.do(self.served, asked_for(tool, arguments), following)
            return told(answer, following.remarks)
        except RunbookError as error:
            return told_error(error, self.served.code_of(error))
        except Exception as error:  # noqa: BLE001  the last line of defence: a report, never a traceback
            self.served.defect(error)
            ours = RunbookError(DEFECT, hint="please report it with that file")
            return told_error(ours, self.served.code_of(ours))


def asked_for(tool: OfferedTool[Any], arguments: dict[str, Any]) -> Any:
    """The arguments as the tool takes them; UsageError, with its place, for what its schema does not allow."""
    try:
        return msgspec.convert(arguments, tool.asks)
    except msgspec.ValidationError as error:
        said = str(error)
        place = PLACE.search(said)
        message, where = PLACE.sub("", said).replace("`", ""), place[1] if place else ""
        names = ", ".join(tool.asks.__struct_fields__)
        raise UsageError(
            f"{tool.name} cannot be asked like that: {clean(message)}", where=clean(where), hint=f"it takes: {names}"
        ) from None


async def _report(context: CallContext, following: Following) -> None:
    """Tells whoever waits what happens, and that it goes on."""
    told_so_far, waited, silent = 0, 0.0, 0.0
    while True:
        await anyio.sleep(LOOK)
        waited, silent = waited + LOOK, silent + LOOK
        more = await _tell(context, following, told_so_far)
        if more == told_so_far and silent >= BEAT:
            more += 1
            await context.session.report_progress(float(more), None, f"at work for {format_duration(round(waited))}")
        if more != told_so_far:
            told_so_far, silent = more, 0.0


async def _tell(context: CallContext, following: Following, before: int) -> int:
    for words in following.heard():
        before += 1
        await context.session.report_progress(float(before), None, clean(redact(words)))
    return before


log = logging.getLogger(NAME)
