"""Values of `with:` and the expressions in them: a whole value or a whole item is computed, and nothing inside a text.

`${{` anywhere else in a runbook would be taken for words: it is told, with the form that does what was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from memrunbook.core.action.action import Action
from memrunbook.core.runbook.condition import Expression, Scope
from memrunbook.core.runbook.refusal import LITERAL
from memrunbook.core.runbook.values import expressions_in
from memrunbook.core.units import decode
from memrunbook.documents.binder import Binder, near
from memrunbook.documents.source import Path, texts

BEGIN = "${{"
WHOLE = re.compile(r"\s*\$\{\{(.*)\}\}\s*", re.DOTALL)
WITHIN = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
ALONE = "write ${{ … }} alone: there is no text templating"
IN_WITH = "expressions are for `with`, and without ${{ }} for conditions"
CONDITIONS = frozenset({"when", "that", "incident", "for_each", "key", "from", "score"})
KINDS: Mapping[str, tuple[str, Any]] = {
    "STRING": ("text", "x"),
    "INT": ("a whole number", 1),
    "UINT": ("a whole number", 1),
    "DOUBLE": ("a number", 1.0),
    "BOOL": ("true or false", True),
    "LIST": ("a list", []),
    "MAP": ("a mapping", {}),
}
"""CEL's types: in words, and a value of each."""
SHOWN = 160


def told_elsewhere(binder: Binder) -> set[Path]:
    """Tells of each expression where none is computed: anywhere but in `with`. The places where it stands."""
    found = set()
    for path, text in _within(binder.source.data):
        if BEGIN not in text or (path[:1] == ("steps",) and "with" in path[2:3]):
            continue
        found.add(path)
        if _is_condition(path):
            bare = WITHIN.sub(lambda match: match[1].strip(), text).strip()
            what, hint = "this is an expression as it stands", f"leave out ${{{{ and }}}}: {bare}"[:SHOWN]
        else:
            what, hint = (
                "no expression is computed here",
                "expressions are for `with`, and without ${{ }} for conditions",
            )
        binder.problem(path, what, hint, BEGIN)
    return found


@dataclass(frozen=True)
class Filling:
    """Binds what stands under `with` of a step at `path`, by the types of its action's parameters."""

    binder: Binder
    scope: Scope
    action: type[Action]
    path: Path

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with their expressions compiled; what is wrong is told."""
        known = {info.encode_name: info for info in msgspec.structs.fields(self.action)}
        values: dict[str, Any] = {}
        for name, value in given.items():
            at = (*self.path, name)
            if name in known:
                values[name] = self._bound(value, at, known[name].type)
                self._check(values[name], value, at, known[name].type)
            else:
                self.binder.problem(at, f"{self._word} has no parameter {name!r}", near(name, known))
        return values

    @property
    def _word(self) -> str:
        return self.action.__module__.rpartition(".")[2]

    def _bound(self, value: Any, path: Path, kind: Any) -> Any:
        """The value with the expressions in it compiled; None in the place of one that is wrong."""
        if isinstance(value, list):
            return [self._bound(item, (*path, place), _inside(kind)) for place, item in enumerate(value)]
        if isinstance(value, dict):
            for key in value:
                if BEGIN in str(key):
                    self.binder.problem((*path, key), "a key cannot be an expression", "only what stands behind it")
            return {key: self._bound(entry, (*path, key), _inside(kind)) for key, entry in value.items()}
        if not isinstance(value, str) or BEGIN not in value:
            return value
        match = WHOLE.fullmatch(value)
        if match is None or BEGIN in LITERAL.sub("", match[1]):
            return self._in_text(value, path)
        found = self.binder.expression(match[1], path, self.scope)
        if found is not None and not self.binder.trusted:
            self._refuse_kind(found, path, kind)
        return found

    def _in_text(self, text: str, path: Path) -> None:
        """Tells of expressions inside a text, and how to write that."""
        parts = WITHIN.split(text)
        known = [self.binder.expression(part, path, self.scope) for part in parts[1::2]]
        hint = ALONE
        if known and all(known) and BEGIN not in "".join(parts[::2]):
            words = [json.dumps(part, ensure_ascii=False) for part in parts]
            words[1::2] = [_as_text(part) for part in known if part is not None]
            joined = " + ".join(word for word in words if word != '""').replace("'", "''")
            written = f"write it as one expression: '${{{{ {joined} }}}}'"
            hint = written if len(written) <= SHOWN else ALONE
        self.binder.problem(path, "an expression must be the whole value", hint, BEGIN)

    def _refuse_kind(self, found: Expression, path: Path, kind: Any) -> None:
        """Tells of text where a list is due, and of a number where text is."""
        is_, due = found.kind.partition("<")[0].upper(), _plain(kind)
        if due == {str} and is_ in KINDS and is_ != "STRING":
            hint = f"write ${{{{ {_as_text(found)} }}}}" if is_ not in ("LIST", "MAP") else ""
            self.binder.problem(path, f"this must be text, the expression is {KINDS[is_][0]}", hint, found.source)
        elif due == {tuple} and is_ in KINDS and is_ != "LIST":
            hint = f"write its items one by one, in brackets, or ${{{{ [{found.source}] }}}}"
            self.binder.problem(path, f"this must be a list, the expression is {KINDS[is_][0]}", hint, found.source)

    def _check(self, bound: Any, value: Any, path: Path, kind: Any) -> None:
        """Tells in what a literal differs from its type; with expressions in it, in what the rest of it does."""
        if self.binder.trusted or (isinstance(value, str) and BEGIN in value):
            return
        computed = {place for place, text in _within(value) if BEGIN in text}
        stand_in = _stand_in(bound) if computed else value
        try:
            msgspec.convert(stand_in, kind, dec_hook=decode)
        except msgspec.ValidationError as error:
            # jsonschema costs 125 ms: only a refused one pays for it
            from memrunbook.documents.faults import Fault, faults

            found = faults(stand_in, kind) or ([] if computed else [Fault((), str(error))])
            for fault in (one for one in found if one.path not in computed):
                self.binder.problem((*path, *fault.path), fault.message, fault.hint)


def _within(value: Any) -> Iterator[tuple[Path, str]]:
    """Every text inside of plain values with its path; a key that begins an expression instead of what it holds."""
    return texts(value, whole=lambda key: BEGIN in key)


def _is_condition(path: Path) -> bool:
    words = [word for word in path if isinstance(word, str)]
    return words[-1] in CONDITIONS or (words[0] == "causes" and words[-1] == "name")


def _as_text(found: Expression) -> str:
    kind = found.kind.partition("<")[0].upper()
    source = found.source
    if kind not in ("STRING", "DYN"):
        return f"string({source})"
    return f"({source})" if "?" in source else source


def _stand_in(bound: Any) -> Any:
    """The value with a value of its type in the place of each expression."""
    if isinstance(bound, list):
        return [_stand_in(item) for item in bound]
    if isinstance(bound, dict):
        return {key: _stand_in(entry) for key, entry in bound.items()}
    for found in expressions_in(bound):
        return KINDS.get(found.kind.partition("<")[0].upper(), KINDS["STRING"])[1]
    return "x" if bound is None else bound


def _plain(kind: Any) -> set[Any]:
    """The types that a value of this hint may be of, `tuple` for each list; None apart."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _plain(get_args(kind)[0])
    if origin is Literal:
        return {type(one) for one in get_args(kind)}
    if origin in (tuple, list):
        return {tuple}
    if origin is dict:
        return {dict}
    if get_args(kind):
        return {one for part in get_args(kind) for one in _plain(part)}
    return {kind} - {NoneType}


def _inside(kind: Any) -> Any:
    """The hint of the items or entries of this hint; `Any` where that is not one alone."""
    with suppress(IndexError):
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Annotated:
            return _inside(inner[0])
        if origin in (tuple, list):
            return inner[0]
        if origin is dict:
            return inner[1]
    return Any
