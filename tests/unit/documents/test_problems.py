"""Plain values become types; what does not fit is told whole, in plain words, with its place."""

from __future__ import annotations

import enum
import subprocess
import sys
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct, field

from memrunbook.core.errors import DocumentError
from memrunbook.core.units import Duration, Size
from memrunbook.documents.problems import convert
from memrunbook.documents.yaml_source import load


class Mode(enum.Enum):
    PLAN = "plan"
    RUN = "run"


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    unit: str
    restart: Literal["yes", "no"] = "no"


class Wait(Struct, frozen=True, tag="wait", forbid_unknown_fields=True):
    seconds: Duration


class Note(Struct, frozen=True, tag="note", forbid_unknown_fields=True):
    text: str


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str = "x"
    title: str | None = None
    when: str | list[str] = ""
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    share: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    on: bool = False
    size: Size | None = None
    every: Duration = Duration(5)
    mode: Mode = Mode.PLAN
    rules: list[Rule] = []
    sizes: dict[str, Size] = {}
    ids: Annotated[tuple[str, ...], Meta(max_length=2)] = ()
    word: Annotated[str, Meta(pattern="^[a-z]+$", min_length=2)] = "ab"
    step: Wait | Note | None = None
    default: int | float | bool | str = 0
    from_: str = field(default="", name="from")


class Pair(Struct, frozen=True):
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


class Pairs(Struct, frozen=True):
    pairs: dict[str, list[Pair]]


def problems(text: str, kind: Any = File) -> list[tuple[str, str, str]]:
    source = load(text, "f.yaml")
    with pytest.raises(DocumentError) as caught:
        convert(source, source.data, kind)
    return [(one.where.removeprefix("f.yaml:"), one.message, one.hint) for one in caught.value.problems]


def test_what_fits_becomes_the_type() -> None:
    text = "{name: a, size: 512 MiB, every: 1h30m, when: [a, b], mode: run, rules: [{unit: x, restart: yes}], from: b}"
    source = load(text, "f")
    found = convert(source, source.data, File)
    assert found.size == 512 << 20
    assert found.every == 5400.0
    assert found.rules == [Rule("x", "yes")]
    assert (found.mode, found.from_) == (Mode.RUN, "b")


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("nmae: x", "1:1", '"nmae" is not known here', 'did you mean "name"?'),
        ("rules: [{unit: x, zzz: 1}]", "1:19", '"zzz" is not known here', "known here: unit, restart"),
        ("rules: [{restart: no}]", "1:9", '"unit" is missing', ""),
        ("name: 5", "1:7", "must be text, is the number 5", 'put it in quotes: "5"'),
        ("name: true", "1:7", "must be text, is true", 'put it in quotes: "true"'),
        ("name:", "1:6", "must be text, is empty", "write a value behind the colon, or leave the key out"),
        ("name: {a: b}", "1:7", "must be text, is a mapping of keys and values",
         "if it is an expression, put the whole value in quotes"),
        ("title: [a]", "1:8", "must be text, is a list", "if it is an expression, put the whole value in quotes"),
        ("when: 5", "1:7", "must be text or a list, is the number 5", 'put it in quotes: "5"'),
        ("when: [a, 5]", "1:11", "must be text, is the number 5", 'put it in quotes: "5"'),
        ("count: 1.0", "1:8", "must be a whole number, is the number 1.0", ""),
        ("count: true", "1:8", "must be a whole number, is true", ""),
        ("count: 0", "1:8", "must be at least 1, is 0", ""),
        ("count: 10", "1:8", "must be at most 9, is 10", ""),
        ("share: 0", "1:8", "must be more than 0, is 0", ""),
        ("share: 1.0", "1:8", "must be less than 1, is 1.0", ""),
        ("on: yes", "1:5", 'must be true or false, is "yes"', ""),
        ("size: 512", "1:7", "512 is a size without a unit", 'write it as in "512 MiB"'),
        ("size: 512 MB", "1:7", "'512 MB' is no size",
         'write a number and B, KiB, MiB, GiB or TiB, as in "512 MiB"'),
        ("size: [1]", "1:7", 'must be a size with its unit, as in "512 MiB", is a list', ""),
        (f"size: {'9' * 400} MiB", "1:7", None, None),
        ("every: 5", "1:8", "5 is a duration without a unit", 'write it as in "5m"'),
        ("every: soon", "1:8", "'soon' is no duration", 'write a number and ms, s, m, h or d, as in "5m"'),
        ("every: true", "1:8", 'must be a duration with its unit, as in "5m", is true', ""),
        ("sizes: {a: 1 MiB, b: 5}", "1:22", "5 is a size without a unit", 'write it as in "512 MiB"'),
        ("mode: rnu", "1:7", 'must be one of "plan", "run", is "rnu"', 'did you mean "run"?'),
        ("rules: [{unit: x, restart: true}]", "1:28", 'must be one of "no", "yes", is true', ""),
        ("ids: [a, b, c]", "1:6", "must have at most 2 items", ""),
        ("word: AB", "1:7", '"AB" has not the form ^[a-z]+$', ""),
        ("word: a", "1:7", "must have at least 2 characters", ""),
        ("step: {type: wait, secnods: 5s}", "1:7", '"seconds" is missing', ""),
        ("step: {type: note, text: 5}", "1:26", "must be text, is the number 5", 'put it in quotes: "5"'),
        ("step: 5", "1:7", "must be a mapping of keys and values, is the number 5", ""),
        ("default: [1]", "1:10", "must be a whole number or a number or true or false or text, is a list", None),
        ("from: 5", "1:7", "must be text, is the number 5", 'put it in quotes: "5"'),
        ("rules: [5]", "1:9", "must be a mapping of keys and values, is the number 5", ""),
    ],
)  # fmt: skip
def test_a_difference_is_told_in_plain_words(text: str, place: str, message: str | None, hint: str | None) -> None:
    where, said, advice = problems(text)[0]
    assert where == place
    assert message in (None, said)
    assert hint in (None, advice)


def test_all_differences_are_told_in_the_order_of_the_file() -> None:
    text = "rules:\n- {restart: maybe, unti: x}\n- {unit: 1}\ncount: 0\nnmae: x\nsize: 5\n"
    assert [place for place, _, _ in problems(text)] == ["2:3", "2:13", "2:20", "3:10", "4:8", "5:1", "6:7"]


def test_a_form_that_only_the_schema_refuses_is_told_beside_others() -> None:
    told = {where: said for where, said, _ in problems("{every: 1 5m, count: 0}")}
    assert told["1:9"].startswith('"1 5m" is no duration: 90s')
    assert told["1:22"] == "must be at least 1, is 0"


def test_no_jargon_of_any_library_is_shown() -> None:
    told = str(problems("{name: 5, when: {}, mode: x, size: 1, on: 1, share: x, rules: {}, sizes: [], z: 1, step: {}}"))
    assert not [word for word in ("Expected", "$.", "anyOf", "None", "dict", "str", "int`", "schema") if word in told]


def test_long_values_are_cut() -> None:
    told = problems(f"{'k' * 900}: {'v' * 5000}\nmode: {'m' * 5000}\nsize: {'s' * 5000}")
    assert all(len(part) < 300 for _, message, hint in told for part in (message, hint))


def test_a_types_own_check_is_told_with_its_place() -> None:
    assert problems("pairs: {a: [{low: 1, high: 2}, {low: 2, high: 1}]}", Pairs) == [("1:8", "low is above high", "")]


def test_a_check_inside_a_list_is_told_with_its_place() -> None:
    class Both(Struct, frozen=True):
        pairs: list[Pair]

    text = "pairs:\n- {low: 1, high: 2}\n- {low: 2, high: 1}"
    assert problems(text, Both) == [("3:3", "low is above high", "")]


def test_part_of_a_file_is_told_with_its_place_in_the_file() -> None:
    source = load("steps:\n- with: {unti: x}", "f.yaml")
    with pytest.raises(DocumentError) as caught:
        convert(source, source.data["steps"][0]["with"], Rule, at=("steps", 0, "with"))
    assert [problem.where for problem in caught.value.problems] == ["f.yaml:2:9", "f.yaml:2:10"]


def test_only_a_refused_document_loads_jsonschema() -> None:
    program = (
        "import sys\n"
        "from memrunbook.core.action.policy import ServicePolicy\n"
        "from memrunbook.documents.problems import convert\n"
        "from memrunbook.documents.yaml_source import load\n"
        "source = load('services: []', 'f')\n"
        "convert(source, source.data, ServicePolicy)\n"
        "assert 'jsonschema' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
