"""Conditions and values: CEL over the metric catalogue, checked when loaded, three-valued when evaluated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from msgspec import Struct

from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.reading.metric import Metric
from memrunbook.core.runbook.world import BEFORE, CONSTANTS, World

State = Literal["holds", "fails", "unknown"]
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
LITERAL = re.compile(r"""r?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
MACRO = re.compile(r"(?:([A-Za-z_][\w.]*)|\))\.(?:filter|exists|exists_one|all|map)\(\s*([A-Za-z_]\w*)\s*,")
ASKS_AWAY = re.compile(r"(?<![.\w])(?:has(?=\s*\()|null\b)")
KEYED = re.compile(r'(?<![\w.])(?!in\b)[A-Za-z_][\w.]*\s*\[\s*""')
INDEXED = re.compile(r"(?<![\w.])([A-Za-z_][\w.]*)\[[^\]]*\]\.([A-Za-z_][\w.]*)")
CEL_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


class Evidence(Struct, frozen=True):
    """A metric that a condition names, with its value (None where it could not be had, and why)."""

    metric: str
    value: Any
    unit: str
    source: str = ""
    why: str = ""


class Verdict(Struct, frozen=True):
    """What a condition says of a world."""

    state: State
    evidence: tuple[Evidence, ...] = ()
    why: str = ""

    @property
    def holds(self) -> bool:
        """True only when it certainly holds."""
        return self.state == "holds"


class ConditionError(ValueError):
    """An expression that cannot be used: what is wrong with it, at which word or offset, and how to mend it."""

    def __init__(self, message: str, hint: str = "", line: int = 1, column: int = 1, word: str = "") -> None:
        super().__init__(message)
        self.message, self.hint, self.line, self.column, self.word = message, hint, line, column, word


@dataclass(frozen=True)
class Scope:
    """The names that expressions of one runbook may use, by their CEL type."""

    metrics: Mapping[str, Metric] = field(repr=False)
    parameters: Mapping[str, str]
    checks: tuple[str, ...] = ()
    item: Metric | None = field(default=None, repr=False)
    step: bool = False

    @cached_property
    def names(self) -> dict[str, str]:
        """Every declared name with its kind."""
        names = {name: metric.kind for name, metric in self.metrics.items()}
        names |= dict.fromkeys(CONSTANTS, "int")
        names |= {f"parameters.{name}": kind for name, kind in self.parameters.items()}
        names |= {f"checks.{name}": "bool" for name in self.checks}
        if self.item is not None:
            names["item"] = "item"
        if self.step:
            names |= {BEFORE + name: metric.kind for name, metric in self.metrics.items()}
            names["target"] = "string"
        return names

    @cached_property
    def environment(self) -> Any:
        """The CEL environment of these names."""
        from cel_expr_python import cel

        item = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
        types = {"int": cel.Type.INT, "double": cel.Type.DOUBLE, "bool": cel.Type.BOOL, "string": cel.Type.STRING}
        types |= {f"list({kind})": cel.Type.List(of) for kind, of in types.items()}
        types |= {"list": cel.Type.List(item), "item": item}
        return cel.NewEnv(variables={name: types[kind] for name, kind in self.names.items()})

    def compile(self, source: str, *, boolean: bool) -> Expression:
        """Parses and checks an expression; ConditionError with the offset and a suggestion."""
        try:
            program = self.environment.compile(source)
        except RuntimeError as error:
            raise self._explain(str(error)) from None
        if boolean and program.return_type().name() not in ("BOOL", "DYN"):
            raise ConditionError(
                f"this must be true or false, it is {program.return_type().name().lower()}",
                'compare it with something, as in "memory.available_percent < 10.0"',
            )
        self._check_words(source)
        self._check_fields(source)
        return Expression(source, program, tuple(self._used(source)), self)

    def _used(self, source: str) -> list[str]:
        found = dict.fromkeys(
            prefix for name in NAME.findall(LITERAL.sub('""', source)) for prefix in self._declared(name)
        )
        return list(found)

    def _declared(self, name: str) -> Iterable[str]:
        parts = name.split(".")
        prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
        return [prefix for prefix in prefixes if prefix in self.names][:1]

    def _explain(self, text: str) -> ConditionError:
        match = CEL_ERROR.search(text)
        line, column, message = (int(match[1]), int(match[2]), match[3]) if match else (1, 1, text)
        message = message.removesuffix(" [INVALID_ARGUMENT]")
        hint = word = ""
        if name := re.search(r"undeclared reference to '([^']+)'", message):
            word = name[1]
            message, hint = self._unknown(word)
        elif "no matching overload" in message and "double" in message and "int" in message:
            message += ": whole numbers and decimals do not mix"
            hint = 'write decimals for percentages, rates and seconds ("64.0"), whole numbers for bytes and counts'
        elif message.startswith("Syntax error"):
            hint = "an expression is CEL: && || ! == < in, and text in quotes"
        return ConditionError(message, hint, line, column, word)

    def _unknown(self, name: str) -> tuple[str, str]:
        close = difflib.get_close_matches(name, self.names, n=1, cutoff=0.6)
        what = "metric" if "." in name else "name"
        return (
            f"unknown {what} {name!r}",
            f"did you mean {close[0]!r}?" if close else "runbook facts lists every metric",
        )

    @staticmethod
    def _check_words(source: str) -> None:
        if found := ASKS_AWAY.search(LITERAL.sub('""', source)):
            message = f'{found[0]} is not offered: it would turn "could not be read" into "no"'
            raise ConditionError(message, "write <fact>.supported", word=found[0])

    def _check_fields(self, source: str) -> None:
        text = LITERAL.sub('""', source)
        items: dict[str, list[Metric]] = {"item": [self.item]} if self.item else {}
        last = None
        for match in MACRO.finditer(text):
            metric = self.metrics.get(match[1] or "")
            last = metric if metric is not None else last
            if last is not None and last.kind == "list":
                items.setdefault(match[2], []).append(last)
        self._check_keys(text)
        for variable, metrics in items.items():
            if re.search(rf"\bin\s+{variable}\b(?!\.)", text):
                message = '"in" is not offered for an item: it would turn "could not be read" into "no"'
                raise ConditionError(message, "name its field", word=variable)
            for match in re.finditer(rf"(?<![\w.]){variable}\.([A-Za-z_][\w.]*)", text):
                self._check_field(match[1], metrics, match[0])

    def _check_keys(self, text: str) -> None:
        if found := KEYED.search(text):
            word = found[0].partition("[")[0]
            raise ConditionError(
                "a field is named with a dot, so that its name can be checked", f"{word}.FIELD", word=word
            )
        for match in INDEXED.finditer(text):
            if match[1] in self.metrics:
                self._check_field(match[2], [self.metrics[match[1]]], match[2])

    @staticmethod
    def _check_field(name: str, metrics: list[Metric], word: str) -> None:
        parts = name.split(".")
        prefixes = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}  # name.startsWith(…) is a field and a call
        if any(prefixes & metric.fields.keys() for metric in metrics):
            return
        metric = metrics[0]
        close = difflib.get_close_matches(name, metric.fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(metric.fields))}"
        raise ConditionError(f"an item of {metric.name} has no field {name!r}", hint, word=word)


@dataclass(frozen=True)
class Expression:
    """A checked expression; `names` are the declared names that it uses."""

    source: str
    program: Any = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    scope: Scope = field(repr=False)

    @property
    def facts(self) -> set[str]:
        """The facts whose metrics it names."""
        bare = (name.removeprefix(BEFORE) for name in self.names)
        return {name.partition(".")[0] for name in bare if name in self.scope.metrics}

    @property
    def uses_checks(self) -> bool:
        """True when it names a check, and so needs whatever that check reads."""
        return any(name.startswith("checks.") for name in self.names)

    def value(self, world: World) -> Any:
        """The plain value in a world, or `Unavailable` with the reason."""
        missing: dict[str, Unavailable] = {}
        data: dict[str, Any] = {}
        for name in self.names:
            found = world.lookup(name)
            if isinstance(found, Unavailable):
                missing[name] = found
            else:
                data[name] = found
        try:
            result = self.program.eval(data=data)
        except RuntimeError as error:  # text that is no text: a lone surrogate from a command line
            return _unavailable(missing, str(error))
        if result.type().name() in ("ERROR", "UNKNOWN"):
            return _unavailable(missing, str(result.value()))
        return result.plain_value()

    def evidence(self, world: World) -> tuple[Evidence, ...]:
        """Every metric that the expression names, as it is in a world; lists by their length."""
        return tuple(
            _evidence(name, self.scope.metrics[name], world) for name in self.names if name in self.scope.metrics
        )


def _unavailable(missing: Mapping[str, Unavailable], error: str) -> Unavailable:
    if not missing:
        return Unavailable("failed", f"it cannot be computed: {error}")
    reason = next(iter(missing.values())).reason
    return Unavailable(reason, "; ".join(f"{name}: {gone.why}" for name, gone in missing.items()))


def _evidence(name: str, metric: Metric, world: World) -> Evidence:
    value = world.lookup(name)
    if isinstance(value, Unavailable):
        return Evidence(name, None, metric.unit.value, metric.source, value.why)
    shown = len(value) if metric.kind == "list" else value
    return Evidence(name, shown, metric.unit.value, metric.source)


@dataclass(frozen=True)
class Condition:
    """One or more expressions that must all hold."""

    parts: tuple[Expression, ...]

    @property
    def source(self) -> str:
        """The text as a person would write it on one line."""
        return " && ".join(part.source if len(self.parts) == 1 else f"({part.source})" for part in self.parts)

    @property
    def facts(self) -> set[str]:
        """The facts whose metrics it names."""
        return set().union(*(part.facts for part in self.parts))

    @property
    def uses_checks(self) -> bool:
        """True when it names a check, and so needs whatever that check reads."""
        return any(part.uses_checks for part in self.parts)

    def evaluate(self, world: World) -> Verdict:
        """Fails when a part fails, else unknown when a part is unknown, else holds."""
        values = [part.value(world) for part in self.parts]
        evidence = tuple(dict.fromkeys(line for part in self.parts for line in _hashable(part.evidence(world))))
        if any(value is False for value in values):
            return Verdict("fails", evidence)
        unknown = [value for value in values if value is not True]
        if unknown:
            return Verdict("unknown", evidence, "; ".join(_reason(value) for value in unknown))
        return Verdict("holds", evidence)


def _hashable(lines: Iterable[Evidence]) -> list[Evidence]:
    return [
        line if not isinstance(line.value, list) else Evidence(line.metric, str(line.value), line.unit)
        for line in lines
    ]


def _reason(value: Any) -> str:
    return value.why if isinstance(value, Unavailable) else f"it is {value!r}, neither true nor false"
