"""Parameters that an inventory gives single hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.app.tuning import tuned, tuned_of_each
from memrunbook.core.errors import DocumentError
from memrunbook.core.host import Host, HostParameter
from memrunbook.documents.library import Library

LIBRARY = Library()
NAME = "memory-fragmentation"
BASE = LIBRARY.runbook(NAME)


def host(*parameters: tuple[str, str, str], name: str = "a") -> Host:
    return Host(name, parameters=tuple(HostParameter(*one, "hosts:3") for one in parameters))


def test_a_host_without_parameters_has_the_runbook_as_it_is() -> None:
    assert tuned(LIBRARY, NAME, BASE, {}, [Host("a")]) == {}
    assert tuned_of_each(LIBRARY, [BASE], {}, [Host("a")]) == {}


def test_its_own_count_before_those_for_all_runbooks_and_what_is_typed_before_both() -> None:
    one, two = (
        host(("", "order", "9"), (NAME, "window", "2h")),
        host((NAME, "order", "5"), ("", "order", "9"), name="b"),
    )
    found = tuned(LIBRARY, NAME, BASE, {}, [one, two, Host("c")])
    assert {name: runbook.parameters for name, runbook in found.items()} == {
        "a": {"order": 9, "window": 7200.0},
        "b": {"order": 5, "window": 3600.0},
    }
    typed = tuned(LIBRARY, NAME, BASE, {"order": "1"}, [two])["b"]
    assert typed.parameters["order"] != 9
    assert tuned(LIBRARY, NAME, BASE, {"order": "1", "window": "1h"}, [one])["a"] is BASE


def test_each_runbook_gets_those_that_it_has() -> None:
    leak = LIBRARY.runbook("memory-leak")
    found = tuned_of_each(
        LIBRARY, [BASE, leak], {"share": "0.5"}, [host(("", "order", "9"), ("", "soon", "2h")), Host("b")]
    )
    assert list(found) == ["a"]
    fragmentation, leaking = found["a"]
    assert fragmentation.parameters["order"] == 9
    assert (leaking.parameters["soon"], leaking.parameters["share"]) == (7200.0, 0.5)


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        (("", "ordr", "9"), "no runbook has a parameter 'ordr'"),
        (("memory-fragmentatio", "order", "9"), "there is no runbook 'memory-fragmentatio'"),
        ((NAME, "soon", "2h"), f"{NAME} has no parameter 'soon'"),
        (("", "order", "99"), "the parameter order: 99 is above the maximum of 10"),
        (("", "order", "many"), "the parameter order: 'many' is no integer"),
    ],
)
def test_what_cannot_be_is_told_with_its_line_in_the_inventory(parameter: tuple[str, str, str], message: str) -> None:
    with pytest.raises(DocumentError) as refused:
        tuned_of_each(LIBRARY, [BASE, LIBRARY.runbook("memory-leak")], {}, [host(parameter)])
    [told] = refused.value.problems
    assert (told.where, told.message) == ("hosts:3", message)


def test_what_is_wrong_with_the_runbook_itself_is_told_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("name: 5\n", encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        tuned(LIBRARY, str(file), BASE, {}, [host(("", "order", "9"))])
    assert str(file) in refused.value.problems[0].where
