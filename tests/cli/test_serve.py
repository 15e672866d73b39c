"""`runbook serve` as a process: it says how to sign in, refuses unsafe places, and ends when it is told to."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
from tests.cli.console import MAIN, WORDS, environment, here
from tests.sshd import free_port


@dataclass
class Serving:
    """A server: its process, the file of what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def links(self, count: int = 1) -> list[str]:
        """The links that it has printed, once there are so many."""
        deadline = time.monotonic() + 120  # a machine with other work starts it slowly
        while len(found := re.findall(r"http://\S+/sign-in\?link=[\w-]+", self.log.read_text())) < count:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return found

    def end(self, number: int) -> int:
        """Ends it by a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[Serving]:
    """A server of its own; ended at the latest here."""
    log = folder / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*WORDS, "serve", *words], stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=environment()
        )
    try:
        yield Serving(process, log)
    finally:
        process.kill()
        process.wait()


def signed_in(link: str) -> urllib.request.OpenerDirector:
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    base, token = link.split("/sign-in?link=")
    with opener.open(f"{base}/sign-in", f"link={token}".encode(), timeout=30) as answer:
        assert "Overview" in answer.read().decode()
    return opener


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end_and_sessions_end_with_it(tmp_path: Path, number: int) -> None:
    port = free_port()
    words = ("--bind", f"127.0.0.1:{port}")
    with serving(tmp_path, *words) as server:
        [link] = server.links()
        browser = signed_in(link)
        server.process.send_signal(signal.SIGUSR1)
        signed_in(server.links(2)[1])
        assert here("serve", *words).code == 2, "the address is in use"
        assert "another program listens there" in here("serve", *words).err
        assert server.end(number) == 0, server.log.read_text()
        assert "Traceback" not in server.log.read_text()
    with serving(tmp_path, *words) as again:
        again.links()
        with browser.open(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            assert "<h1>Sign in</h1>" in answer.read().decode(), "a session ends with its server"


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (("--bind", "0.0.0.0:9"), "is reached by others", "trusted_proxies"),
        (("--bind", "[::]:8642"), "is reached by others", "--tls-cert"),
        (("--bind", "127.0.0.1:x"), "is no place to listen at", "127.0.0.1:8642"),
        (("--bind", "127.0.0.1:99999"), "is no place to listen at", ""),
        (("--tls-cert", "x.pem"), "a certificate has a key", "--tls-key"),
        (("--tls-cert", "x.pem", "--tls-key", "y.pem"), "--tls-cert x.pem: it cannot be read", "PEM"),
        (("--bind", "no.such.name.invalid:1", "--tls-cert", "x.pem", "--tls-key", "y.pem"), "cannot be read", ""),
    ],
    ids=str,
)
def test_what_it_may_not_or_cannot_do_is_an_error_with_its_hint(words: tuple[str, ...], said: str, hint: str) -> None:
    ran = here("serve", *words)
    ran.refused(2, said, hint=hint)


def test_no_alerts_are_taken_of_which_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "alerts").write_text("x" * 40)
    (tmp_path / "config.yaml").write_text("serve: {alerts_token_file: alerts}\n")
    ran = here("serve", "--config-dir", str(tmp_path))
    ran.refused(2, "serve: alerts_token_file:", "config.yaml says nothing of alerts", hint="which alert means")


def test_of_a_certificate_and_its_key_the_one_that_is_wrong_is_named(tmp_path: Path) -> None:
    cert, other, none = (tmp_path / name for name in ("cert.pem", "other.pem", "none.pem"))
    make = ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    for path in (cert, other):
        subprocess.run([*make, "-out", path, "-keyout", path.with_suffix(".key")], check=True, capture_output=True)
    none.write_text("ssh-ed25519 AAAA\n")

    def refused(cert: Path, key: Path, said: str) -> None:
        here("serve", "--tls-cert", str(cert), "--tls-key", str(key)).refused(2, said, hint="")

    refused(cert, tmp_path / "gone.key", f"--tls-key {tmp_path / 'gone.key'}: it cannot be read: no such file")
    refused(none, cert.with_suffix(".key"), f"--tls-cert {none}: no line of it ends in CERTIFICATE-----")
    refused(cert, cert, f"--tls-key {cert}: no line of it ends in PRIVATE KEY-----")
    refused(cert, other.with_suffix(".key"), "it is the key of another certificate")


def test_a_token_that_could_be_guessed_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "token").write_text("short\n")
    (folder / "config.yaml").write_text("serve: {token_file: token}\n")
    here("serve", "--config-dir", str(folder)).refused(2, "fewer than 20 plain characters", hint="openssl rand")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("serve: {names: ['https://x/']}", "is no name of a host"),
        ("serve: {trusted_proxies: [proxy]}", "is no address"),
        ("serve: {idle: 5s}", "is no time for that"),
        ("serve: {token_file: nowhere}", "there is no file"),
        ("serve: {proxy_header: X-Forwarded-User}", "no proxy is trusted"),
        ("serve: {trusted_proxies: [10.0.0.7], proxy_header: 'X User'}", "is no name of a header"),
        ("serve: {oidc: {issuer: 'http://login.example', client_id: c}}", "is no safe address"),
        ("serve: {oidc: {issuer: 'https://a@login.example', client_id: c}}", "is no safe address"),
        ("serve: {oidc: {issuer: 'https://login.example', client_id: c, scopes: [email]}}", "without openid"),
        ("serve: {oidc: {issuer: 'https://x', client_id: c, client_secret_file: nowhere}}", "there is no file"),
    ],
)
def test_what_config_yaml_says_of_it_is_checked(tmp_path: Path, text: str, said: str) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "config.yaml").write_text(f"{text}\n")
    here("serve", "--config-dir", str(folder)).refused(2, said)


@pytest.mark.slow
def test_without_its_libraries_it_says_what_to_install() -> None:
    code = f"import sys; sys.modules['uvicorn'] = None\n{MAIN}"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve"],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'memrunbook[web]'" in done.stderr


@pytest.mark.slow
def test_no_other_command_loads_anything_of_it() -> None:
    code = f"import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{MAIN}"
    done = subprocess.run(
        [sys.executable, "-c", code, "runs"], check=False, capture_output=True, text=True, env=environment(), timeout=60
    )
    found = set(done.stderr.splitlines()[-1].split())
    assert "memrunbook.cli.main" in found
    assert not found & {"starlette", "uvicorn", "memrunbook.web"}
