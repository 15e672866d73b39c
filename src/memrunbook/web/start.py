"""Starts the server where its libraries are installed, says how to sign in, and ends on SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memrunbook.core.errors import RunbookError, UsageError, in_a_line
from memrunbook.runtime.named_file import read_named_text

if TYPE_CHECKING:
    import uvicorn

    from memrunbook.web.live import Streams
    from memrunbook.web.served import ServedState

EXTRA = "pip install 'memrunbook[web]'"
LIBRARIES = frozenset({"starlette", "uvicorn", "anyio", "h11", "webauthn", "authlib", "joserfc", "requests"})
LOOPBACK = ("127.0.0.1", "::1", "localhost")
PORT = 8642
SHORTEST_TOKEN, LONGEST_TOKEN_FILE = 20, 4096
GRACE = 3
"""Seconds that answers under way have when the server ends."""


@dataclass(frozen=True)
class ListenAt:
    """Where it listens, and the files of its certificate where it speaks TLS itself."""

    host: str
    port: int
    cert: Path | None = None
    key: Path | None = None

    @property
    def loopback(self) -> bool:
        """True where this machine alone reaches it."""
        if self.host == "localhost":
            return True
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False

    @property
    def shown(self) -> str:
        """As it stands in an address."""
        return f"[{self.host}]" if ":" in self.host else self.host


def check_libraries() -> None:
    """UsageError where the extra is not installed."""
    try:
        import authlib  # noqa: F401
        import joserfc  # noqa: F401
        import requests  # noqa: F401
        import uvicorn  # noqa: F401
        import webauthn  # noqa: F401
        from starlette.applications import Starlette  # noqa: F401
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in LIBRARIES:
            raise
        what = f"the pages are served by libraries of which one is not installed: {error.name}"
        raise UsageError(what, hint=EXTRA) from None


def listening(bind: str, cert: Path | None, key: Path | None) -> ListenAt:
    """ADDRESS:PORT, ADDRESS or :PORT as it is typed; UsageError for what is none, and for half of a certificate."""
    host, sign, port = bind.rpartition(":") if not bind.endswith("]") else (bind, "", "")
    host, port = (host, port) if sign else (bind, "")
    if not (port or str(PORT)).isdigit() or not 0 < int(port or PORT) < 1 << 16:
        raise UsageError(f"{bind!r} is no place to listen at", where="--bind", hint=f"as in 127.0.0.1:{PORT}")
    if (cert is None) != (key is None):
        raise UsageError("a certificate has a key", where="--tls-cert", hint="give both --tls-cert and --tls-key")
    return ListenAt(host.strip("[]") or "127.0.0.1", int(port or PORT), cert, key)


def serve_pages(served: ServedState, place: ListenAt) -> None:
    """Serves until it is told to end; UsageError where it may not, or cannot, listen there."""
    import uvicorn

    from memrunbook.web.connections import BoundedConnection
    from memrunbook.web.guard import PageGuard
    from memrunbook.web.live import Streams
    from memrunbook.web.server import Pages
    from memrunbook.web.sessions import Sessions
    from memrunbook.web.signing import SignInDesk
    from memrunbook.web.work import Work

    serving = served.serving
    _check_place(place, proxies=bool(serving.trusted_proxies))
    token, alerts = _token(serving.token_file, "programs"), _token(serving.alerts_token_file, "alerts")
    secret = _first_line(serving.oidc.secret_file, "the secret of the client") if serving.oidc is not None else ""
    listener = _bound(place)
    secure = place.cert is not None or bool(serving.trusted_proxies)
    desk = SignInDesk(Sessions(time.monotonic, serving.idle, serving.lifetime), served.state, secure, serving, secret)
    streams, work = Streams(), Work()
    pages = Pages(served, desk, work, streams, token, alerts)
    names = {"localhost", "127.0.0.1", "[::1]", place.shown.lower(), *serving.names}
    guard = PageGuard(pages.application(), names, served.defect, serving.trusted_proxies, secure=place.cert is not None)
    settings = uvicorn.Config(
        guard, http=BoundedConnection, ws="none", lifespan="off", access_log=False, server_header=False, backlog=64,
        proxy_headers=False, log_config=None, limit_concurrency=200, timeout_keep_alive=5, ssl_certfile=place.cert,
        timeout_graceful_shutdown=GRACE, h11_max_incomplete_event_size=16 << 10, ssl_keyfile=place.key,
    )  # fmt: skip
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    base = f"{'https' if secure else 'http'}://{_reached(place, serving.names, secure=secure)}"

    def tell_link() -> None:
        served.say(f"Sign in within 10 minutes, once: {base}{desk.link()}")

    served.say(f"Serving {served.state} at {base}. Ctrl-C ends it.")
    tell_link()
    try:
        asyncio.run(_until_told(uvicorn.Server(settings), listener, streams, _or_why(tell_link, served.say)))
    finally:
        listener.close()
        work.close()


def _or_why(tell_link: Callable[[], None], say: Callable[[str], object]) -> Callable[[], None]:
    """The same on a signal, when the server goes on whatever becomes of it."""

    def told() -> None:
        try:
            tell_link()
        except RunbookError as error:
            say(f"No link can be made: {in_a_line(error)}")

    return told


async def _until_told(
    server: uvicorn.Server, listener: socket.socket, streams: Streams, tell_link: Callable[[], None]
) -> None:
    def end() -> None:
        server.should_exit = streams.closing = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGUSR1, tell_link)
    await server._serve([listener])  # noqa: SLF001  `serve` takes the signals for itself, and dies of them


def _reached(place: ListenAt, names: tuple[str, ...], *, secure: bool) -> str:
    behind_proxy = secure and place.cert is None
    usual = "localhost" if place.host in LOOPBACK and not secure else place.shown  # a passkey belongs to no number
    name = names[0] if names else usual
    return name if behind_proxy and names else f"{name}:{place.port}"


def _check_place(place: ListenAt, *, proxies: bool) -> None:
    if place.cert is None and not place.loopback and not proxies:
        what = f"{place.host} is reached by others, and what is sent there could be read on its way"
        hint = "--tls-cert FILE --tls-key FILE; or a proxy that speaks TLS: serve: trusted_proxies: in config.yaml"
        raise UsageError(what, where="--bind", hint=hint)
    if place.cert is not None and place.key is not None:
        _check_certificate(place.cert, place.key)


def _check_certificate(cert: Path, key: Path) -> None:
    """UsageError that names the one of both that cannot be used, and why."""
    for option, path, begins in (("--tls-cert", cert, "CERTIFICATE-----"), ("--tls-key", key, "PRIVATE KEY-----")):
        try:
            known = begins in path.read_text("ascii", "replace")
        except OSError as error:
            why = f"it cannot be read: {(error.strerror or str(error)).lower()}"
            raise UsageError(why, where=f"{option} {path}", hint="a file in the form of PEM") from None
        if not known:
            raise UsageError(
                f"no line of it ends in {begins}", where=f"{option} {path}", hint="a file in the form of PEM"
            )
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:
        other = getattr(error, "reason", None) == "KEY_VALUES_MISMATCH"
        why = "it is the key of another certificate" if other else "it has a password, or one of both is damaged"
        hint = f"openssl x509 -in {cert} -noout -pubkey and openssl pkey -in {key} -pubout must print the same"
        raise UsageError(
            f"the certificate and its key cannot be used: {why}", where=f"--tls-key {key}", hint=hint
        ) from None


def _bound(place: ListenAt) -> socket.socket:
    """The socket, bound: what is wrong with the place is said before anything else."""
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, number, _, address = found[0]
        listener = socket.socket(family, kind, number)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{place.host} is no address here: {why}", where="--bind") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(64)  # who has the link may come at once
    except OSError as error:
        listener.close()
        hints = {
            errno.EADDRINUSE: "another program listens there: end it, or name another port",
            errno.EADDRNOTAVAIL: "this machine has no such address: ip address",
            errno.EACCES: "ports below 1024 are root's: name another one",
        }
        why = (error.strerror or str(error)).lower()
        hint = hints.get(error.errno or 0, "name another place")
        raise UsageError(f"it cannot listen at {place.shown}:{place.port}: {why}", where="--bind", hint=hint) from None
    return listener


def _first_line(file: Path | None, what: str) -> str:
    """What stands in a file, which is `what`; UsageError where it cannot be read, or there is nothing."""
    if file is None:
        return ""
    try:
        found = read_named_text(file, LONGEST_TOKEN_FILE).partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"{what} cannot be read: {why}", where=str(file)) from None
    if not found:
        raise UsageError(f"{what} is not in the first line of its file", where=str(file), hint="write it there, alone")
    return found


def _token(file: Path | None, whose: str) -> str:
    """The token of these; UsageError for a file that holds none."""
    if file is None:
        return ""
    token = _first_line(file, f"the token of {whose}")
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
        what = f"the token of {whose} has fewer than {SHORTEST_TOKEN} plain characters in the first line"
        raise UsageError(what, where=str(file), hint=f"openssl rand -base64 32 > {file}")
    return token
