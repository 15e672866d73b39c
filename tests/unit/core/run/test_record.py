"""What earlier versions wrote into journals is still read."""

from __future__ import annotations

from memrunbook.core.host import Host
from memrunbook.core.run.record import Actor, Invoked, Order, decode, plain


def invoked(host: Host) -> Invoked:
    return Invoked(
        time="2026-11-22T09:41:07Z",
        engine="1.0",
        actor=Actor("ada"),
        command="runbook run",
        reason="",
        runbook="oom-event",
        runbook_digest="d",
        origin="shipped",
        parameters={},
        hosts=(host.name,),
        order=Order(runbook="oom-event", hosts=(host,)),
    )


def test_an_order_keeps_the_site_of_its_hosts() -> None:
    one = invoked(Host("web01", tags=("realtime",), site="fra-1"))
    assert decode(plain(one), {}) == one


def test_an_order_of_a_version_that_knew_no_sites_is_read() -> None:
    written = plain(invoked(Host("web01", tags=("realtime",), unlisted=True)))
    del written["order"]["hosts"][0]["site"]
    assert decode(written, {}) == invoked(Host("web01", tags=("realtime",), unlisted=True))
