from __future__ import annotations

import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import mcp_types as types
import msgspec
import pytest
from tests.unit.mcp.served import served

from memrunbook.core.errors import DocumentError, Interrupted, Problem, UsageError
from memrunbook.core.host import Host
from memrunbook.core.reading.reached import Reached
from memrunbook.documents.printed.facts import FactsDocument, host_with_facts
from memrunbook.mcp.answer import MOST_DOCUMENT, ToolAnswer, object_schema, told, told_error
from memrunbook.mcp.following import Following
from memrunbook.mcp.inputs import DiagnoseAsked, OomLogAsked
from memrunbook.mcp.offered import TOOLS, OfferedTool
from memrunbook.mcp.server import Calls
from memrunbook.mcp.start import OneLine
from memrunbook.ui.block import line

NOTHING = FactsDocument(hosts=())


class Session:
    """Where progress goes."""

    def __init__(self) -> None:
        self.told: list[tuple[float, str]] = []

    async def report_progress(self, progress: float, total: float | None, message: str) -> None:
        del total
        self.told.append((progress, message))


def tool(do: Any) -> OfferedTool[Any]:
    return OfferedTool("own", "Own", "Does it.", OomLogAsked, FactsDocument, do)


def called(folder: Path, do: Any) -> tuple[types.CallToolResult, Session, list[Exception]]:
    session, defects = Session(), list[Exception]()
    known = served(folder)
    object.__setattr__(known, "defect", defects.append)
    calls, context = Calls(known, {"own": tool(do)}), cast("Any", SimpleNamespace(session=session))

    async def call() -> types.CallToolResult:
        return await calls.answer(context, types.CallToolRequestParams(name="own", arguments={"text": "x"}))

    return anyio.run(call), session, defects


def test_a_defect_is_an_error_of_the_tool_and_is_reported(tmp_path: Path) -> None:
    def broken(*_: Any) -> ToolAnswer:
        raise ValueError("/secret/path: boom")

    result, _, defects = called(tmp_path, broken)
    assert result.is_error
    assert [str(error) for error in defects] == ["/secret/path: boom"]
    assert "boom" not in str(result)
    assert result.structured_content["error"]["code"] == 1


def test_what_is_heard_is_told_in_rising_numbers_and_remarks_stand_in_the_answer(tmp_path: Path) -> None:
    def talks(_served: Any, _asked: Any, following: Following) -> ToolAnswer:
        following.connecting("web1")
        following.connecting("web\x1b2")
        following.remark("it is late", "sleep")
        return ToolAnswer(NOTHING, [[line("done")]])

    result, session, _ = called(tmp_path, talks)
    assert [number for number, _ in session.told] == [1.0, 2.0]
    assert session.told[1][1] == "web\\x1b2: connecting"
    [part] = result.content
    assert isinstance(part, types.TextContent)
    assert "note: it is late" in part.text
    assert part.text.endswith("done")


def test_calls_are_done_one_after_the_other_even_where_one_was_cancelled(tmp_path: Path) -> None:
    at_work, most, done = [], [0], list[str]()
    held = threading.Event()

    def slow(_served: Any, asked: OomLogAsked, _following: Following) -> ToolAnswer:
        at_work.append(asked.text)
        most[0] = max(most[0], len(at_work))
        held.wait(0.3)
        at_work.remove(asked.text)
        done.append(asked.text)
        return ToolAnswer(NOTHING, [])

    calls, context = Calls(served(tmp_path), {"own": tool(slow)}), cast("Any", SimpleNamespace(session=Session()))

    async def call(word: str, patience: float = 30.0) -> None:
        with anyio.move_on_after(patience):
            await calls.answer(context, types.CallToolRequestParams(name="own", arguments={"text": word}))

    async def several() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(call, "cancelled at work", 0.1)
            await anyio.sleep(0.05)
            group.start_soon(call, "cancelled in the queue", 0.1)
            group.start_soon(call, "one")
            group.start_soon(call, "two")

    anyio.run(several)
    assert most == [1]
    assert sorted(done) == ["cancelled at work", "one", "two"]


def test_a_wait_ends_where_nobody_waits_for_the_answer() -> None:
    following = Following()
    following.waiting("web1", "no banner yet", 1.0)
    following.waiting("web1", "no banner yet", 3.0)
    following.waiting("web1", "no banner yet", 4.0)
    assert following.heard() == ["web1: no banner yet"]
    following.stop.set()
    with pytest.raises(Interrupted):
        following.waiting("web1", "no banner yet", 4.2)


def test_an_answer_that_is_too_large_is_refused() -> None:
    error = UsageError("x" * (MOST_DOCUMENT + 1))
    large = FactsDocument(hosts=(host_with_facts(Reached(Host("web1"), error=error), {}),))
    with pytest.raises(UsageError, match="too much for one call"):
        told(ToolAnswer(large, []), [])


def test_all_problems_of_a_document_are_told() -> None:
    said = told_error(DocumentError([Problem("config.yaml:3", "this is no list", "write -")]), 2)
    assert said.failed
    assert "config.yaml:3: this is no list" in said.text
    assert said.structured["error"]["problems"] == [
        {"where": "config.yaml:3", "message": "this is no list", "hint": "write -"}
    ]


def test_a_schema_has_its_object_at_the_root() -> None:
    for one in TOOLS:
        assert object_schema(one.asks)["type"] == object_schema(one.answers)["type"] == "object"
    assert object_schema(DiagnoseAsked)["required"] == ["hosts"]
    assert msgspec.json.encode(object_schema(FactsDocument))


def test_a_line_of_the_log_is_one_line_without_a_traceback() -> None:
    error = ValueError("a\nb \x1b[31m password=hunter2secret")
    record = logging.LogRecord("mcp", logging.ERROR, "", 0, "said %s", ("x\ny",), (ValueError, error, None))
    said = OneLine("%(name)s: %(message)s").format(record)
    assert "Traceback" not in said
    assert "\n" not in said
    assert "\x1b" not in said
    assert "hunter2secret" not in said
