"""What Alertmanager posts: any bytes at all are read or refused in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.errors import DocumentError
from memrunbook.documents.alerts import FiredAlert, host_named, read_alerts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(DocumentError) as error:
        read_alerts(content)
    assert all(problem.message.isprintable() for problem in error.value.problems)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
def test_labels_are_data(labels: dict[str, str]) -> None:
    said = {"version": "4", "alerts": [{"status": "firing", "labels": labels, "fingerprint": "forged"}]}
    [alert] = read_alerts(json.dumps(said).encode()).alerts
    assert alert.labels == labels
    assert alert.name.isprintable()
    assert alert.fingerprint == FiredAlert("firing", dict(reversed(labels.items()))).fingerprint


@pytest.mark.parametrize(
    ("value", "host"),
    [("web1:9100", "web1"), ("web1", "web1"), ("[::1]:9100", "::1"), ("::1", "::1"), (" web1 ", "web1"), ("", ""),
     ("web1:http", "web1:http"), ("10.0.0.7:9100", "10.0.0.7")],
)  # fmt: skip
def test_the_port_of_an_instance_is_left_out(value: str, host: str) -> None:
    assert host_named({"instance": value}, "instance") == host
    assert host_named({"instance": value}, "other") == ""
