"""Whose pages these are: one machine with several names, several machines with one machine-id."""

from __future__ import annotations

from tests.unit.state.history.pasts import NOW, Time

from memrunbook.core.reading.series import Observation, Series
from memrunbook.core.units import HOUR
from memrunbook.state.history.past import HostPoints, StoredPast


def booted(boot: str, at: float, host: str, machine: str = "cloned") -> HostPoints:
    return HostPoints(host, machine, at, (Series("host", "", "memory.free_bytes", (Observation(at, 1.0, boot),)),))


def boots(past: StoredPast, host: str, machine: str = "cloned") -> set[str]:
    return {point.life for series in past.series(host, machine, 0.0) for point in series.points}


def test_machines_of_one_image_have_a_history_each(past: StoredPast, time: Time) -> None:
    said: list[str] = []
    past = StoredPast(past.database, time, said=lambda words, hint: said.append(f"{words}; {hint}"))
    for step in range(3):
        time.at = NOW + step * 300
        names = ("web1", "web2", "web3")
        read = [booted(f"boot of {name}", time.at + number, name) for number, name in enumerate(names)]
        assert past.remember(read) == 3
    assert [boots(past, name) for name in names] == [{"boot of web1"}, {"boot of web2"}, {"boot of web3"}]
    assert [boots(past, name, "") for name in names] == [{"boot of web1"}, {"boot of web2"}, {"boot of web3"}]
    assert [one.partition(" have")[0] for one in said] == ["web2 and web1", "web3 and web1"]
    assert "machine-id-setup" in said[0]
    assert boots(past, "web4") == set()  # nobody knows yet which of them that is
    time.at += HOUR
    past.remember([booted("boot of web2", time.at, "10.0.0.2")])
    assert boots(past, "10.0.0.2") == {"boot of web2"}
    past.remember([booted("another boot", time.at + 300, "web2")])
    assert boots(past, "10.0.0.2") == {"boot of web2", "another boot"}


def test_machines_of_one_image_that_are_read_one_after_the_other_are_told_apart_at_their_second_turn(
    past: StoredPast, time: Time
) -> None:
    for step in range(6):
        time.at = NOW + step * 600
        name = ("web1", "web2")[step % 2]
        past.remember([booted(f"boot of {name}", time.at, name)])
    newest = {name: past.series(name, "cloned", time.at - 1200)[0].points for name in ("web1", "web2")}
    assert {name: {point.life for point in found} for name, found in newest.items()} == {
        "web1": {"boot of web1"},
        "web2": {"boot of web2"},
    }


def test_a_machine_that_was_booted_has_one_history_under_all_its_names(past: StoredPast, time: Time) -> None:
    for step, (name, boot) in enumerate((("web", "a"), ("10.0.0.7", "a"), ("10.0.0.7", "b"), ("web", "b"))):
        time.at = NOW + step * 300
        past.remember([booted(boot, time.at, name)])
    assert boots(past, "web") == boots(past, "10.0.0.7") == {"a", "b"}
