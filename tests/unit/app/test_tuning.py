"""Parameters that an inventory gives single hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.app.tuning import not_used, tuned, tuned_of_each
from memrunbook.core.errors import DocumentError, UsageError
from memrunbook.core.host import Host, HostParameter
from memrunbook.documents.library import Library

LIBRARY = Library()
NAME = "memory-fragmentation"
BASE = LIBRARY.runbook(NAME)


def host(*parameters: tuple[str, str, str], name: str = "a") -> Host:
    return Host(name, parameters=tuple(HostParameter(*one, "hosts:3") for one in parameters))


def test_a_host_without_parameters_has_the_runbook_as_it_is() -> None:
    assert tuned(LIBRARY, NAME, BASE, {}, [Host("a")]) == ((Host("a"),), {})
    assert tuned_of_each(LIBRARY, [BASE], {}, [Host("a")]) == ((Host("a"),), {})


def test_its_own_count_before_those_for_all_runbooks_and_what_is_typed_before_both() -> None:
    one, two = (
        host(("", "order", "9"), (NAME, "window", "2h")),
        host((NAME, "order", "5"), ("", "order", "9"), name="b"),
    )
    found = tuned(LIBRARY, NAME, BASE, {}, [one, two, Host("c")]).own
    assert {name: runbook.parameters for name, runbook in found.items()} == {
        "a": {"order": 9, "window": 7200.0},
        "b": {"order": 5, "window": 3600.0},
    }
    typed = tuned(LIBRARY, NAME, BASE, {"order": "1"}, [two]).own["b"]
    assert typed.parameters["order"] != 9
    assert tuned(LIBRARY, NAME, BASE, {"order": "1", "window": "1h"}, [one]).own["a"] is BASE


def test_each_runbook_gets_those_that_it_has() -> None:
    leak = LIBRARY.runbook("memory-leak")
    found = tuned_of_each(
        LIBRARY, [BASE, leak], {"share": "0.5"}, [host(("", "order", "9"), ("", "soon", "2h")), Host("b")]
    ).own
    assert list(found) == ["a"]
    fragmentation, leaking = found["a"]
    assert fragmentation.parameters["order"] == 9
    assert (leaking.parameters["soon"], leaking.parameters["share"]) == (7200.0, 0.5)


@pytest.mark.parametrize(
    ("parameter", "message", "hint"),
    [
        ((NAME, "soon", "2h"), f"{NAME} has no parameter 'soon'", f"see runbook show {NAME}"),
        ((NAME, "ordr", "2h"), f"{NAME} has no parameter 'ordr'", "did you mean 'order'?"),
        (("", "order", "99"), "the parameter order: 99 is above the maximum of 10", ""),
        (("", "order", "many"), "the parameter order: 'many' is no integer", ""),
    ],
)
def test_what_a_runbook_cannot_have_refuses_that_host_alone(
    parameter: tuple[str, str, str], message: str, hint: str
) -> None:
    asked = [host(parameter), host(("", "order", "9"), name="b"), Host("c")]
    for hosts, own in (
        tuned_of_each(LIBRARY, [LIBRARY.runbook("memory-leak"), BASE], {}, asked),
        tuned(LIBRARY, NAME, BASE, {}, asked),
    ):
        assert [(one.name, one.refused) for one in hosts] == [("a", f"{message} (hosts:3)"), ("b", ""), ("c", "")]
        assert hint in hosts[0].hint
        assert list(own) == ["b"]


OTHERS = [(("", "ordr", "9"), "no runbook here has a parameter 'ordr': it is not used", "did you mean 'order'?"),
          (("append", "x", "9"), "there is no runbook 'append' here: this is not used", ""),
          (("memory-fragmentatio", "order", "9"), "there is no runbook 'memory-fragmentatio' here: this is not used",
           f"did you mean {NAME!r}?")]  # fmt: skip


@pytest.mark.parametrize(("parameter", "message", "hint"), OTHERS)
def test_what_is_said_of_runbooks_that_are_not_here_is_not_used(
    parameter: tuple[str, str, str], message: str, hint: str
) -> None:
    asked = [host(parameter), host(parameter, name="b")]
    hosts, own = tuned_of_each(LIBRARY, [BASE], {}, asked)
    assert hosts == tuple(asked)
    assert own["a"] == [BASE]
    [told] = not_used([BASE], asked)
    assert told == ("hosts:3", message, hint)
    assert not_used([BASE], [host(("", "order", "9"), (NAME, "window", "1h"))]) == []


def test_what_was_typed_wrong_is_told_as_ever() -> None:
    with pytest.raises(UsageError, match="no parameter"):
        tuned(LIBRARY, NAME, BASE, {"nonsense": "1"}, [host(("", "order", "9"))])


def test_what_is_wrong_with_the_runbook_itself_is_told_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("name: 5\n", encoding="utf-8")
    with pytest.raises(DocumentError) as refused:
        tuned(LIBRARY, str(file), BASE, {}, [host(("", "order", "9"))])
    assert str(file) in refused.value.problems[0].where
