"""What was taken over of hosts, as rows."""

from __future__ import annotations

from memrunbook.core.errors import HostError
from memrunbook.ui.imported import failures_view, imported_view
from memrunbook.ui.layout import lay_out


def test_hosts_with_what_was_taken_and_what_was_left_out() -> None:
    view = imported_view([("web1", 4300, 6, ("sa03: this is not what sadf -j prints",)), ("web2", 0, 0, ())])
    text = "\n".join("".join(span.text for span in line) for line in lay_out(view, None))
    assert "web1  4,300 points of 6 figures" in text
    assert "web2  nothing was recorded" in text
    assert "hint: with Prometheus, see by which labels it knows the host" in text
    assert "left out: sa03: this is not what sadf -j prints" in text
    assert "look at it: runbook history --host web1" in text


def test_a_hundred_hosts_that_failed_alike_are_told_once() -> None:
    failed = [(f"web{number}", HostError("it does not answer")) for number in range(100)]
    (first, second) = failures_view([*failed, ("db", HostError("it answers 422"))])
    text = "\n".join("".join(span.text for span in line) for line in lay_out([*first, *second], None))
    assert text.count("it does not answer") == 1
    assert "web0: it does not answer" in text
    assert "the same of 99 hosts: web1, web2, web3, web4, web5, web6, web7, web8 and 91 more" in text
    assert "db: it answers 422" in text
