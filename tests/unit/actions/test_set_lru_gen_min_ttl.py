from __future__ import annotations

from tests.unit.actions.decisions import Use, blocked, change, not_needed
from tests.unit.actions.hosts import host

from memrunbook.actions.set_lru_gen_min_ttl import SetLruGenMinTtl
from memrunbook.core.action.action import Risk
from memrunbook.core.reading.fact import Unavailable
from memrunbook.core.units import Duration

SECOND = SetLruGenMinTtl(milliseconds=1000)
USE = Use(SetLruGenMinTtl(milliseconds=1000, for_=Duration(60)))


def test_a_working_set_is_protected_and_the_undo_knows_the_old_time() -> None:
    made = change(SECOND, host())
    assert made.summary == "Protect the working set of 1000 ms, not 0 ms"
    assert made.args == ("/sys/kernel/mm/lru_gen/min_ttl_ms", "1000")
    assert made.undo is not None
    assert made.undo.args == ("/sys/kernel/mm/lru_gen/min_ttl_ms", "1000", "0")
    assert made.risk is Risk.MEDIUM
    assert "OOM killer" in made.costs


def test_less_protection_kills_nobody() -> None:
    assert change(SetLruGenMinTtl(milliseconds=0), host({"lru_gen.min_ttl_ms": 1000})).risk is Risk.LOW


def test_what_is_set_stays() -> None:
    assert not_needed(SetLruGenMinTtl(milliseconds=0), host()) == "lru_gen.min_ttl_ms is 0"


def test_without_the_multi_gen_lru_it_would_do_nothing() -> None:
    assert "switched off" in blocked(SECOND, host({"lru_gen.enabled": False}))
    absent = Unavailable("absent", "no such file")
    assert "no such file" in blocked(SECOND, host({"lru_gen": absent}))
