"""A runbook's parameters: defaults, and what the command line says instead."""

from __future__ import annotations

from typing import Any

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.core.runbook.spec import ParameterSpec
from memrunbook.documents.parameters import parameter_values


def values(given: dict[str, str] | None = None, **specs: ParameterSpec) -> dict[str, Any]:
    noted: list[Any] = []
    found = parameter_values(specs, given or {}, lambda path, text: noted.append((path, text)))
    assert noted == []
    return found


def noted(**specs: ParameterSpec) -> list[Any]:
    found: list[Any] = []
    parameter_values(specs, {}, lambda path, text: found.append((path, text)))
    return found


@pytest.mark.parametrize(
    ("kind", "default", "given", "expected"),
    [
        ("integer", 10, "-5", -5),
        ("number", 1, "2", 2.0),
        ("number", 1.5, "2.5", 2.5),
        ("boolean", True, "False", False),
        ("boolean", False, "true", True),
        ("string", "a", "5", "5"),
        ("size", "1 MiB", "2 KiB", 2048),
        ("duration", "5m", "1h30m", 5400.0),
    ],
)
def test_a_value_is_the_default_or_what_was_given(kind: Any, default: Any, given: str, expected: Any) -> None:
    spec = ParameterSpec(kind, default)
    assert values({"p": given}, p=spec) == {"p": expected}
    assert type(values({"p": given}, p=spec)["p"]) is type(expected)
    assert type(values(p=spec)["p"]) is type(expected)


def test_defaults_have_their_expressions_type() -> None:
    found = values(a=ParameterSpec("size", "1 MiB"), b=ParameterSpec("duration", "2m"), c=ParameterSpec("number", 3))
    assert found == {"a": 1 << 20, "b": 120.0, "c": 3.0}
    assert isinstance(found["c"], float)


@pytest.mark.parametrize(
    ("spec", "given", "message"),
    [
        (ParameterSpec("integer", 1), "1.5", "'1.5' is no integer"),
        (ParameterSpec("number", 1), "much", "'much' is no number"),
        (ParameterSpec("number", 1), "nan", "nan is no finite number"),
        (ParameterSpec("number", 1), "inf", "inf is no finite number"),
        (ParameterSpec("boolean", True), "yes", "'yes' is no boolean"),
        (ParameterSpec("size", "1 MiB"), "5", "'5' is no size"),
        (ParameterSpec("duration", "5m"), "5", "'5' is no duration"),
        (ParameterSpec("integer", 5, minimum=0), "-1", "-1 is below the minimum of 0"),
        (ParameterSpec("integer", 5, maximum=200), "201", "201 is above the maximum of 200"),
        (ParameterSpec("size", "5 MiB", maximum="6 MiB"), "7 MiB", "7340032 is above the maximum of 6 MiB"),
        (ParameterSpec("string", "a", enum=["a", "b"]), "c", "'c' is none of a, b"),
        (ParameterSpec("duration", "5m", enum=["5m", "1h"]), "2h", "7200.0 is none of 5m, 1h"),
    ],
)
def test_what_was_given_wrong_is_refused(spec: ParameterSpec, given: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        values({"p": given}, p=spec)
    assert message in caught.value.message
    assert caught.value.where == "-p p"


def test_limits_belong_to_the_range() -> None:
    spec = ParameterSpec("integer", 5, minimum=0, maximum=200, enum=[0, 5, 200])
    assert values({"p": "0"}, p=spec) == {"p": 0}
    assert values({"p": "200"}, p=spec) == {"p": 200}


def test_the_description_helps_who_gave_it_wrong() -> None:
    with pytest.raises(UsageError) as caught:
        values({"p": "x"}, p=ParameterSpec("integer", 1, description="Target for vm.swappiness"))
    assert caught.value.hint == "Target for vm.swappiness"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("swapiness", "did you mean 'swappiness'?"), ("zzz", "it has: other, swappiness")],
)
def test_a_parameter_that_does_not_exist(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        values({name: "1"}, swappiness=ParameterSpec("integer", 1), other=ParameterSpec("integer", 1))
    assert (caught.value.message, caught.value.hint) == (f"this runbook has no parameter {name!r}", hint)
    with pytest.raises(UsageError) as none:
        values({name: "1"})
    assert none.value.hint == "it has: none"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ParameterSpec("integer", "x"), "'x' is no integer"),
        (ParameterSpec("integer", True), "True is no integer"),
        (ParameterSpec("number", False), "False is no number"),
        (ParameterSpec("boolean", 1), "1 is no boolean"),
        (ParameterSpec("string", 1), "1 is no string"),
        (ParameterSpec("size", 512), "512 has no unit; write it as in 512 MiB"),
        (ParameterSpec("duration", 5), "5 has no unit; write it as in 5m"),
        (ParameterSpec("integer", 5, minimum=9), "5 is below the minimum of 9"),
        (ParameterSpec("integer", 5, minimum="x"), "'x' is no integer"),
    ],
)
def test_a_wrong_default_is_a_problem_of_the_file(spec: ParameterSpec, message: str) -> None:
    assert noted(p=spec) == [(("parameters", "p", "default"), message)]
