"""Every file in facts/ keeps the contract of core/reading/fact.py: a new fact is tested by existing."""

from __future__ import annotations

import graphlib
import importlib
import math
import pkgutil
import re
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memrunbook import catalog
from memrunbook import facts as folder
from memrunbook.core.reading.fact import Answer, Fact, Read, Reading, Reason, Sample, Samples, Unavailable, Whole
from memrunbook.core.reading.metric import Metric, metrics_of
from memrunbook.core.reading.probe import CASE, build_probe, read_sample
from memrunbook.core.units import Unit

FACTS = catalog.facts()
RECORDED = Path(__file__).parents[1] / "facts"
KINDS = re.compile(r"int|double|bool|string|list(\((int|double|bool|string)\))?")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
UNITS = {
    "_bytes": Unit.BYTES,
    "_bytes_per_second": Unit.BYTES_PER_SECOND,
    "_percent": Unit.PERCENT,
    "_seconds": Unit.SECONDS,
}
EACH_FACT = pytest.mark.parametrize("name", sorted(FACTS))


def every_metric(name: str) -> Iterator[Metric]:
    """The metrics of a fact, and those of the items in its lists."""
    waiting = list(metrics_of(name, FACTS[name]).values())
    while waiting:
        metric = waiting.pop()
        yield metric
        waiting += metric.fields.values()


def test_a_file_defines_one_fact_and_nothing_else_lies_there() -> None:
    for info in pkgutil.iter_modules(folder.__path__):
        module = importlib.import_module(f"{folder.__name__}.{info.name}")
        own = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
        readings = [kind for kind in own if issubclass(kind, Reading)]
        assert readings == ([] if info.name == "shared" else [FACTS[info.name].reading]), info.name


def test_needs_exist_and_form_no_circle() -> None:
    order = graphlib.TopologicalSorter({name: fact.needs for name, fact in FACTS.items()}).static_order()
    assert set(order) == set(FACTS)


@EACH_FACT
def test_every_metric_says_what_it_means_and_where_it_comes_from(name: str) -> None:
    for metric in every_metric(name):
        assert metric.meaning, metric.name
        assert metric.source, metric.name


@EACH_FACT
def test_names_and_kinds_are_legal(name: str) -> None:
    for metric in every_metric(name):
        assert all(NAME.fullmatch(part) for part in metric.name.split(".")), metric.name
        assert KINDS.fullmatch(metric.kind), metric.name


@EACH_FACT
def test_the_unit_is_the_one_in_the_name(name: str) -> None:
    for metric in every_metric(name):
        stem = metric.name.removesuffix("_min")
        ending = max((end for end in UNITS if stem.endswith(end)), key=len, default=None)
        if ending and metric.kind in ("int", "double"):
            assert metric.unit is UNITS[ending], metric.name
        if metric.unit in (Unit.BYTES, Unit.BYTES_PER_SECOND):
            assert metric.kind == "int", metric.name


@EACH_FACT
def test_a_probe_can_ask_for_it(name: str) -> None:
    asks = FACTS[name].asks
    assert asks or FACTS[name].follow or FACTS[name].needs
    build_probe(asks, repeat=False)
    for ask in asks:
        assert not isinstance(ask, Read) or not ask.path.startswith("/proc/sys/"), f"{ask}: a sysctl is for Whole"


@EACH_FACT
def test_recorded_answers_exist(name: str) -> None:
    assert list((RECORDED / name).glob("*.txt")), f"tests/facts/{name} holds no case"


def check(name: str, samples: Samples) -> Reading | Unavailable:
    """Parses samples and asserts all that is promised of any reading; needed facts are read from the same answers."""
    fact = FACTS[name]
    needed = {need: check(need, samples) for need in fact.needs}
    if fact.follow:
        build_probe(fact.follow(needed), repeat=False)
    reading = fact.parse(samples, needed)
    if isinstance(reading, Unavailable):
        assert reading.why
        return reading
    plain = msgspec.to_builtins(reading)
    assert msgspec.convert(plain, fact.reading) == reading
    assert msgspec.json.decode(msgspec.json.encode(reading), type=fact.reading) == reading
    for number in numbers_in(plain):
        assert math.isfinite(number) if isinstance(number, float) else abs(number) < 1 << 63
    for path in reading.unavailable:
        assert value_at(reading, path) is None, f"{name}.{path} has a value and a reason why it has none"
    return reading


def numbers_in(value: Any) -> Iterator[int | float]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(item)
    elif isinstance(value, int | float):
        yield value


def value_at(reading: Any, path: str) -> Any:
    for part in path.split("."):
        reading = getattr(reading, part)
    return reading


def recorded(name: str) -> list[Samples]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((RECORDED / name).glob("*.txt"))]
    cases = [text.split(f"@@{CASE} begin ")[1:] for text in texts]
    return [tuple(read_sample(f"@@{CASE} begin {part}", CASE) for part in case) for case in cases]


@EACH_FACT
def test_every_recorded_reading_keeps_the_contract(name: str) -> None:
    for samples in recorded(name):
        check(name, samples)


def keys_of(fact: Fact) -> list[str]:
    """A key for each answer that the fact and those it needs look at; a pattern becomes a path that fits it."""
    own = [ask.path.replace("*", "0") if isinstance(ask, Read | Whole) else ask.name for ask in fact.asks]
    return [*own, *(key for need in fact.needs for key in keys_of(FACTS[need]))]


def answers(key: str, known: list[str]) -> st.SearchStrategy[Answer]:
    """Any bytes, a known text, a known text broken anywhere, or none."""
    bytes_ = st.binary(max_size=200).map(lambda raw: Answer(raw.decode(errors="replace")))
    reasons: st.SearchStrategy[Reason] = st.sampled_from(typing.get_args(Reason))
    lack = reasons.map(lambda reason: Answer(problem=Unavailable(reason, key)))
    if not known:
        return bytes_ | lack
    text = st.sampled_from(known)
    junk = st.text(max_size=8) | st.sampled_from(["9" * 19, "9" * 5000, "-1", "\0", " ", "\n", "\x1b[2J", "²"])
    broken = st.tuples(text, st.integers(0, 1 << 16), st.integers(0, 40), junk).map(_break)
    return bytes_ | lack | text.map(Answer) | broken


def _break(parts: tuple[str, int, int, str]) -> Answer:
    text, place, cut, junk = parts
    start = place % (len(text) + 1)
    return Answer(text[:start] + junk + text[start + cut :])


@cache
def any_samples(name: str) -> st.SearchStrategy[Samples]:
    seen = [sample for samples in recorded(name) for sample in samples]
    keys = {*keys_of(FACTS[name]), *(key for sample in seen for key in sample.answers)}
    known = {key: {text for sample in seen if (text := sample.text(key)) is not None} for key in keys}
    one = st.fixed_dictionaries({}, optional={key: answers(key, sorted(known[key])) for key in sorted(keys)})
    uptimes = st.floats(0, 1e12)
    sample = st.builds(Sample, before=uptimes, after=uptimes, answers=one, complete=st.booleans())
    return st.lists(sample, min_size=1, max_size=3).map(tuple)


@EACH_FACT
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_parser_survives_any_answers(name: str, data: st.DataObject) -> None:
    check(name, data.draw(any_samples(name)))
