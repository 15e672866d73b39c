"""Matchers of alerts are judged when they are written, not at the firing that they should hold back."""

from __future__ import annotations

import pytest

from memrunbook.documents.matchers import AlertingSpec, wrong_alerting


def wrong(text: str) -> str:
    return "".join(
        f"{message}; {hint}" for _, message, hint in wrong_alerting(AlertingSpec(url="http://p", alerts=text))
    )


@pytest.mark.parametrize(
    "text",
    [
        'alertname="Failover"',
        ' alertname = "Failover" , severity=~"page|c.*" , ',
        "team!='db',env!~`prod\\d+`",
        r'instance=~"web\\.example\\.org:\\d+"',
        r'alertname=~"\\p{Lu}.*"',
        'alertname=~"(?i)failover"',
        'alertname="with \\"quotes\\" and , and }"',
        'alertname=~"[[:alpha:]]+"',
    ],
)
def test_what_prometheus_takes_is_taken(text: str) -> None:
    assert wrong(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" ", "no matcher"),
        ('alertname="x', "its quote does not end"),
        ("alertname=x", "its value stands in quotes, not 'x'"),
        ("alertname=", "its value stands in quotes, not the end"),
        ('alertname~"x"', "one of =, !=, =~, !~ is expected, not ~"),
        ('alertname=="x"', "is expected, not =="),
        ("alertname", "is expected, not the end"),
        ('alertname=~"(x"', "is no regular expression"),
        ('alertname=~"*x"', "is no regular expression"),
        ('alertname=~"x(?=y)"', "no such regular expression"),
        (r'alertname=~"(x)\\1"', "no such regular expression"),
        ('{alertname="x"}', "leave the braces out"),
        ('alertname="x"}', "leave the braces out"),
        ('alertname="x" severity="y"', "a comma is expected"),
        (',alertname="x"', "a label's name is expected"),
        ('9x="y"', "a label's name is expected"),
        ('alertname="x",alertstate="pending"', "alertstate is not for you to say"),
        ('alertname="x\x1b[31m\n"', "its quote does not end"),
    ],
)
def test_what_it_does_not_take_is_said_with_what_to_write(text: str, said: str) -> None:
    told = wrong(text)
    assert said in told
    assert not told.endswith("; ")
    assert told.isprintable()
