"""Many real sessions on few workers. Time passes only when nobody is at work: the intervals are counted, not timed."""

from __future__ import annotations

from tests.ssh.net import Way
from tests.ssh.servers import Server

from memrunbook.core.host import Host
from memrunbook.core.reading.fact import Fact, Read, Reading, Sample, Samples
from memrunbook.runtime.collect import Collector
from memrunbook.runtime.fleet import each
from memrunbook.runtime.life import Life
from memrunbook.testing import START, FixedClock

INTERVAL = 60.0


class Uptimes(Reading, frozen=True):
    """What each sample said."""

    texts: tuple[str, ...]


def _texts(samples: Samples, _: object) -> Uptimes:
    return Uptimes(tuple(_text(sample) for sample in samples))


def _text(sample: Sample) -> str:
    return sample.answers["/proc/uptime"].text


FACTS = {"uptimes": Fact(Uptimes, _texts, (Read("/proc/uptime", each=True),))}


def test_ten_hosts_on_two_workers_take_one_interval_in_one_connection_each(way: Way, server: Server) -> None:
    clock = FixedClock()
    closed: list[str] = []

    def live(host: Host) -> Life[tuple[str, int]]:
        session = way(server.host, server.options).connect()
        try:
            snapshot = yield from Collector(host, session, clock, FACTS).collect(["uptimes"], count=2, every=INTERVAL)
        finally:
            session.close()
            closed.append(host.name)
        reading = snapshot.reading("uptimes")
        assert isinstance(reading, Uptimes)
        return snapshot.host, sum(float(text.split()[0]) > 0 for text in reading.texts)

    hosts = [Host(f"host{n}") for n in range(10)]
    assert each(hosts, live, 2, clock) == [(host.name, 2) for host in hosts]
    assert INTERVAL - 5 < clock.now().since(START) <= INTERVAL
    assert len(server.logins) == len(closed) == 10
