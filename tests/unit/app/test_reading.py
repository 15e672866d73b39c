"""Hosts are read for who judges them: what is told of each stands before what comes behind it."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.app.connectors import Connectors
from memrunbook.app.notice import Notice
from memrunbook.app.reading import ReadArguments, read
from memrunbook.core.action.policy import ServicePolicy
from memrunbook.core.host import Host
from memrunbook.core.runbook.spec import Sampling
from memrunbook.runtime.fleet import GRACE

if TYPE_CHECKING:
    from memrunbook.app.notice import HostEnd

CASE = "@@case begin 5.0\n@@case file /proc/meminfo\nMemTotal: 1000 kB\n@@case end 5.1\n"


class Slow(Notice):
    """Presses Ctrl-C while it tells of a host, and is not done with that for a while."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._over = threading.Event()

    def ended(self, host: str, outcome: HostEnd, why: str = "") -> None:
        del outcome, why
        if host == "a":
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            self._over.wait(2 * GRACE)
        self.told.append(host)

    def read(self) -> None:
        self._over.set()
        self.told.append("all are read")


def test_after_ctrl_c_the_page_waits_for_the_line_of_a_host_that_had_been_read(tmp_path: Path) -> None:
    bundle = tmp_path / "host.replay"
    bundle.write_text(CASE, encoding="utf-8")
    hosts = [Host(name, transport="replay", source=str(bundle)) for name in ("a", "b")]
    notice = Slow()
    asked = ReadArguments(
        hosts=hosts,
        facts=lambda: ["memory"],
        sampling=Sampling(1),
        connectors=Connectors(),
        policy=ServicePolicy(),
        notice=notice,
    )
    read(asked, lambda reached: reached.name)
    assert notice.told.index("a") < notice.told.index("all are read")
