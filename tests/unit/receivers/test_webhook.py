"""The webhook: what it posts, whom it trusts, and how it ends with whoever answers badly."""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.receiving import drip, hang_up, noise, receiving, say

from memrunbook.receivers.shared.receiver import Message, NotTaken
from memrunbook.receivers.webhook import Webhook
from memrunbook.runtime.redaction import redact

MESSAGE = Message("id-1", "web1: failed", "evidence", b'{"verdict": "web1: failed"}')


def hook(**more: Any) -> Webhook:
    return Webhook(name="hook", **more)


def secret_file(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_the_document_is_posted_with_its_headers() -> None:
    with receiving() as server:
        hook(url=f"{server.url}?team=ops", headers={"X-Team": "ops"}).send(MESSAGE, 5.0)
    [posted] = server.posted
    assert (posted.path, posted.body) == ("/hook?team=ops", MESSAGE.document)
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["Idempotency-Key"] == "id-1"
    assert posted.headers["X-Team"] == "ops"


def test_whoever_has_the_key_can_check_the_signature_and_the_token_is_sent(tmp_path: Path) -> None:
    key = secret_file(tmp_path, "a long secret\n")
    with receiving() as server:
        hook(url=server.url, secret_file=key, token_file=key).send(MESSAGE, 5.0)
    [posted] = server.posted
    at = posted.headers["X-Memrunbook-Timestamp"]
    assert abs(time.time() - float(at)) < 60
    signed = hmac.new(b"a long secret", f"{at}.".encode() + posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["X-Memrunbook-Signature"] == f"sha256={signed}"
    assert posted.headers["Authorization"] == "Bearer a long secret"


def test_an_url_that_is_a_secret_comes_from_a_file_or_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as server:
        monkeypatch.setenv("HOOK_URL", server.url)
        hook(url_variable="HOOK_URL").send(MESSAGE, 5.0)
        hook(url_file=secret_file(tmp_path, server.url)).send(MESSAGE, 5.0)
    assert len(server.posted) == 2


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (say(500, b"no \x1b[31m<b>\n"), r"it says 500: no \x1b[31m<b>"),
        (say(404), "it says 404"),
        (say(302, Location="http://u:pw@127.0.0.1:1/else?where"), "the place is another: http://127.0.0.1:1"),
        (say(301, Location="/elsewhere"), "the place is another"),
        (say(301, Location="http://[::1"), "the place is another"),
        (say(308, Location="\tx"), "it says 308"),
        (hang_up, "cannot be posted to"),
        (noise, "cannot be posted to"),
    ],
)
def test_any_other_answer_is_an_error_on_one_line(answer: Any, told: str) -> None:
    with receiving(answer) as server, pytest.raises(NotTaken) as error:
        hook(url=server.url).send(MESSAGE, 5.0)
    assert told in str(error.value)
    assert "/else" not in str(error.value), "the path may be the secret"
    assert str(error.value).isprintable()
    assert len(server.posted) == 1


def test_who_sends_a_byte_now_and_then_ends_at_the_deadline() -> None:
    began = time.monotonic()
    with receiving(drip) as server, pytest.raises(NotTaken, match="no answer within 1 s"):
        hook(url=server.url).send(MESSAGE, 1.0)
    assert time.monotonic() - began < 4


def test_nobody_there() -> None:
    with receiving() as server:
        pass
    with pytest.raises(NotTaken, match="Connection refused"):
        hook(url=server.url).send(MESSAGE, 5.0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for 127.0.0.1 that nobody trusts; its key is in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", "/CN=hook", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out",
             str(path.with_suffix(".crt"))]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


def test_a_certificate_is_checked_and_can_be_trusted(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(context=context) as server:
        url = server.url.replace("http://", "https://")
        with pytest.raises(NotTaken, match="its certificate is not trusted"):
            hook(url=url).send(MESSAGE, 5.0)
        assert server.posted == []
        hook(url=url, ca_file=str(certificate.with_suffix(".crt"))).send(MESSAGE, 5.0)
        with pytest.raises(NotTaken):
            hook(url=url.replace("127.0.0.1", "localhost"), ca_file=str(certificate.with_suffix(".crt"))).send(
                MESSAGE, 5.0
            )
    assert len(server.posted) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "one of url"),
        ({"url": "https://a.example/", "url_file": "x"}, "one of url"),
        ({"url": "https://u:pw@a.example/"}, "password"),
        ({"url": "http://a.example/"}, "read by everybody"),
        ({"url": "ftp://a.example/"}, "no URL"),
        ({"url": "https://a.example:99999/"}, "cannot be read"),
        ({"url": "https://a.example/ x"}, "blanks"),
        ({"url": "https://a.example/", "headers": {"Host": "b"}}, "header host"),
    ],
)
def test_options_that_make_no_sense_or_are_not_safe(options: Any, told: str) -> None:
    assert told in hook(**options).problem()


def test_what_is_fine() -> None:
    for url in ("https://a.example:8443/x?y=1", "http://127.0.0.1/", "http://[::1]:80/", "http://localhost/"):
        assert hook(url=url).problem() == ""
    assert hook(url="http://a.example/", plain_http=True).problem() == ""


def test_a_token_cannot_bring_a_header_with_it(tmp_path: Path) -> None:
    with receiving() as server, pytest.raises(NotTaken, match="one line of ASCII"):
        hook(url=server.url, token_file=secret_file(tmp_path, "abcd\r\nX-Evil: 1")).send(MESSAGE, 5.0)
    assert server.posted == []


def test_an_url_of_a_file_is_judged_too_and_not_told(tmp_path: Path) -> None:
    with pytest.raises(NotTaken) as error:
        hook(url_file=secret_file(tmp_path, "http://hooks.example/T00/B00/very-secret")).send(MESSAGE, 5.0)
    assert "very-secret" not in f"{error.value}{error.value.hint}"
    assert json.loads(MESSAGE.document)["verdict"] == "web1: failed"


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [("120", 120, 120), ("Fri, 31 Dec 2100 23:59:59 GMT", 1e9, 1e11), ("Fri, 31 Dec 1999 23:59:59 GMT", 0, 0),
     ("soon", 0, 0), ("-5", 0, 0), ("9" * 400, 1, 1e9), ("", 0, 0)],
)  # fmt: skip
def test_when_it_may_be_tried_again(said: str, least: float, most: float) -> None:
    headers = {"Retry-After": said} if said else {}
    with receiving(say(429, b"", **headers)) as server, pytest.raises(NotTaken) as caught:
        hook(url=server.url).send(MESSAGE, 5.0)
    assert least <= caught.value.after <= most
    assert caught.value.message.startswith("it says 429")


def test_a_header_that_is_a_secret_and_said_back_is_hidden() -> None:
    with receiving(say(500, b"you said zirconium-4242")) as server, pytest.raises(NotTaken) as caught:
        hook(url=server.url, headers={"X-Api-Key": "zirconium-4242"}).send(MESSAGE, 5.0)
    assert "zirconium" not in redact(str(caught.value))
