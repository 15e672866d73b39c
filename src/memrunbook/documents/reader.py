"""Builds plain values from the events of the YAML parser; refuses what a document may not use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml import events as ev

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.text import clean
from memrunbook.documents import mistakes
from memrunbook.documents.scalars import resolve
from memrunbook.documents.source import Extent, Path

DEEPEST = 32
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PLAIN_DATA = "write the value out: documents are plain data"


class DocumentReader:
    """One reading of one text. The parser's events are read, never its objects: deep nesting would end the process.

    With `enough` it stops as soon as the document's mapping has given these keys.
    """

    def __init__(self, name: str, text: str, lines: tuple[str, ...], enough: frozenset[str]) -> None:
        self._name = name
        self._lines = lines
        self._enough = enough
        self._events: Iterator[Any] = yaml.parse(text, Loader=LOADER)
        self._problems: list[Problem] = []
        self.values: dict[Path, Extent] = {}
        self.keys: dict[Path, Extent] = {}

    def read(self) -> dict[str, Any]:
        """The document's mapping; DocumentError with all problems."""
        try:
            data = self._document()
        except yaml.MarkedYAMLError as error:
            self._syntax(error)
            data = None
        if self._problems:
            raise DocumentError(self._problems)
        if not isinstance(data, dict):
            hint = 'write "key: value" lines'
            raise DocumentError([Problem(f"{self._name}:1:1", "the file must be a mapping of keys and values", hint)])
        return data

    def _document(self) -> Any:
        data: Any = None
        for event in self._events:
            if isinstance(event, ev.DocumentStartEvent) and self.values:
                self._add(_span(event), "a second document begins here", "put it into a file of its own")
                break
            if isinstance(event, ev.NodeEvent):
                data = self._node(event, (), flow=False)
                if self._enough:
                    break
        return data

    def _node(self, event: Any, path: Path, *, flow: bool) -> Any:
        self.values[path] = _span(event)
        if isinstance(event, ev.AliasEvent):
            self._add(_span(event), "aliases (*name) are not used here", f"{PLAIN_DATA}; {mistakes.EXPRESSION}")
            return None
        self._refuse_extras(event)
        if isinstance(event, ev.ScalarEvent):
            return self._scalar(event, flow=flow)
        if len(path) >= DEEPEST:
            self._add(_span(event), f"nested deeper than {DEEPEST} levels", "")
            raise DocumentError(self._problems)
        inside = bool(event.flow_style)
        if isinstance(event, ev.MappingStartEvent):
            return self._mapping(path, flow=inside)
        return self._list(path, flow=inside)

    def _list(self, path: Path, *, flow: bool) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), ev.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items)), flow=flow))
        return items

    def _mapping(self, path: Path, *, flow: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), ev.MappingEndEvent):
            key = self._key(event, path, flow=flow)
            if key in found:
                self._add(_span(event), f'"{clean(key)}" is given twice', "remove one of them")
            self.keys.setdefault((*path, key), _span(event))
            value = next(self._events)
            if flow and _without_colon(event, value):
                self._add(_span(event), f'"{clean(key)}" has no value', f"inside {{ }}, {mistakes.QUOTE}")
            found[key] = self._node(value, (*path, key), flow=flow)
            if self._enough and not path and self._enough <= found.keys():
                break
        return found

    def _key(self, event: Any, path: Path, *, flow: bool) -> str:
        if isinstance(event, ev.ScalarEvent):
            self._refuse_extras(event)
            return str(event.value)
        if not isinstance(event, ev.AliasEvent):
            self._node(event, (*path, ""), flow=flow)
        self._add(_span(event), "a key must be a word", "")
        return ""

    def _scalar(self, event: Any, *, flow: bool) -> Any:
        if not event.implicit[0]:
            return event.value
        rest = self._rest(event.end_mark)
        if mistakes.cut_short(event.value, rest):
            self._add(_span(event), 'the value ends in the middle: " #" begins a comment', mistakes.QUOTE)
        if flow and mistakes.cut_by_comma(event.value):
            self._add(_span(event), "the value ends at a comma in the middle of an expression", mistakes.QUOTE)
        try:
            return resolve(event.value)
        except ValueError as error:
            self._add(_span(event), str(error), "put it in quotes where text is meant")
            return None

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            self._add(_span(event), "anchors (&name) are not used here", f"remove it; {mistakes.EXPRESSION}")
        if event.tag is not None:
            self._add(_span(event), "tags (!name) are not used here", f"remove it; {mistakes.EXPRESSION}")

    def _syntax(self, error: yaml.MarkedYAMLError) -> None:
        problem, opened = error.problem_mark, error.context_mark
        ended = problem is None or (problem.line >= len(self._lines) - 1 and not self._rest(problem))
        mark = opened if opened and (ended or str(error.context).startswith("while scanning")) else problem
        span = Extent(mark.line, mark.column, mark.line) if mark else Extent(0, 0, 0)
        message, hint = mistakes.in_words(str(error.problem), self._rest(span)[:1])
        if ended and mark is opened and "simple key" not in str(error.context):
            message, hint = "this is opened and never closed", f"close it; {mistakes.EXPRESSION}"
        self._add(span, message, hint)

    def _rest(self, place: Any) -> str:
        return self._lines[place.line][place.column :] if place.line < len(self._lines) else ""

    def _add(self, span: Extent, message: str, hint: str) -> None:
        self._problems.append(Problem(f"{self._name}:{span.line + 1}:{span.column + 1}", message, hint))


def _span(event: Any) -> Extent:
    return Extent(event.start_mark.line, event.start_mark.column, event.end_mark.line)


def _without_colon(key: Any, value: Any) -> bool:
    return not getattr(value, "value", "x") and bool(value.start_mark.index == key.end_mark.index)
