"""`--json` of many hosts: packed one by one as they end, written as one document."""

from __future__ import annotations

import json

import msgspec
import pytest

from memrunbook.cli.formats import json_
from memrunbook.cli.reply import Reply
from memrunbook.documents.printed.diagnose import DiagnoseDocument, PrintedHost


def host(name: str, why: str = "") -> PrintedHost:
    return PrintedHost(host=name, outcome="unreachable", error=why)


def shown(hosts: tuple[PrintedHost, ...], capsys: pytest.CaptureFixture[str], *, packed: bool) -> str:
    named = tuple(host(one.host) for one in hosts) if packed else hosts
    document = DiagnoseDocument(hosts=named, verdict='"hosts": [] is no place in a text')
    parts = [json_.pack(one) for one in hosts] if packed else None
    json_.show(Reply(0, lambda: document, tuple, hosts=parts), "auto")
    return capsys.readouterr().out


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_written_is_the_document_with_all_its_hosts(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    hosts = tuple(host(f"web{number}", '"hosts": []\n\\ "é"') for number in range(count))
    assert shown(hosts, capsys, packed=True) == shown(hosts, capsys, packed=False)


def test_a_secret_of_one_host_is_hidden_in_its_part(capsys: pytest.CaptureFixture[str]) -> None:
    hosts = (host("web1"), host("web2", "password=hunter22"), host("web3", "a lone surrogate \udc80"))
    said = shown(hosts, capsys, packed=True)
    assert "hunter22" not in said
    assert [one["host"] for one in json.loads(said)["hosts"]] == ["web1", "web2", "web3"]


def test_a_packed_host_is_small() -> None:
    one = host("web1", "the same words again " * 1000)
    assert len(json_.pack(one)) < len(msgspec.json.encode(one)) / 10
