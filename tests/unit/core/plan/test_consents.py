"""What was allowed beforehand, and what of it was used."""

from __future__ import annotations

from memrunbook.core.plan.consents import Consents


def test_what_covered_nothing_is_known() -> None:
    given = Consents(["a:x", "b", "a:x"])
    assert list(given) == ["a:x", "b"]
    assert (len(given), "b" in given, "c" in given) == (2, True, False)
    assert (given.use("b"), given.use("c")) == (True, False)
    assert given.unused == ("a:x",)
    assert Consents().unused == ()
