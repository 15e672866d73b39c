"""Sends a server of its own requests of all kinds from outside: none may be an error of ours.

`python -m bench.scan --requests 100000` starts `runbook serve` over a run, a plan that waits and people with passkeys,
signs in as an operator, and sends real requests that were changed, by several connections at once. It counts the
answers by status, and says what the server's process holds before, in the middle and after. What is wrong ends it with
1: a status of 500, an answer without the headers that each has, a traceback, a server that does not answer any more.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_from_bytes, urlencode

import requests
from tests.cli.test_old_journals import OLD
from tests.cli.test_serve import Serving, serving
from tests.passkey import Passkey
from tests.sshd import free_port
from tests.web.test_pages import PLACES, a_run
from tests.web.test_passkeys import challenge_of, known
from tests.web.waiting import Office

NIGHT = "- {name: night, every: 1h, runbook: swap-capacity, hosts: db7}\n"
TOKENS = {"token_file": "program-token-0123456789abcdef", "alerts_token_file": "alerts-token-0123456789abcdef"}
ROLES = "  roles: {operator: [ada]}\nalerts: [{alertname: Memory, runbook: memory-shortage}]\n"
PATIENCE, HANGS = 120.0, 2.0
"""Seconds for the answer to a whole request, and to one that may not be whole."""
PIECES = [
    b"..", b"%2e%2e", b"%2f", b"%5c", b"%00", b"%0d%0aX: y", b"%ff", b"/", b"\\", b"x" * 900, b"runs", b"hosts",
    b"pending", b"api", b"v1", b"static", b"_0123", b"events", b"approve", b"challenge", b"apply", b"begun", b";x",
    b"*", b"~root", b"'", b"<b>", b"%f0%9f%92%a9", b"%c0%ae%c0%ae", b"%25%32%65", b"{part}", b"sign-in", b"register",
]  # fmt: skip
VALUES = [
    b"", b"x", b"yes", b"\x00", b"\xff\xfe", b"//evil.example", b"/a" * 300, b"/" + b"a" * 60 + b"!", b"a" * 5000,
    b"-1", b"9" * 400, b"[[" * 900, b'{"id":1}', b"<img src=x onerror=alert(1)>", "٣".encode(), b"\r\nX: y", b"--help",
]  # fmt: skip
METHODS = [b"GET"] * 9 + [b"POST"] * 9 + [b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE", b"PRI", b"G\xc3T", b""]
KINDS = [b"application/x-www-form-urlencoded"] * 5 + [b"text/plain", b"multipart/form-data; boundary=x",
         b"application/json", b"", b"\xff" * 30]  # fmt: skip
SITES = [b"same-origin", b"none", b"same-site", b"cross-site", b"\xff"]
LENGTHS = [b"0", b"-1", b"+3", b"0x10", b"9" * 40, b"3, 3", b"x", b" 3"]
NAMES = ["csrf", "digest", "link", "next", "answer", "invite", "sure", "reason", "credential", "authenticator_data",
         "client_data", "signature", "yes-1-1", "everywhere", "state", "code"]  # fmt: skip


@dataclass
class Known:
    """What somebody who looks at the pages has: a session, its proof, a plan; `host` is what the server is called."""

    host: bytes
    cookie: bytes
    csrf: str
    digest: str

    def target(self, chance: random.Random) -> bytes:
        """An address of the server, or one that is like it."""
        plan = [
            f"/pending/{self.digest}{act}" for act in ("", "/challenge", "/approve", "/decline", "/apply", "/begun")
        ]
        posts = ["/sign-in", "/sign-in/passkey", "/register", "/sign-out", "/alerts", "/schedules/night/pause",
                 "/schedules/night/resume", "/me", "/sign-in/oidc", "/metrics", "/api/openapi.json",
                 f"/runs/{OLD.name}/events"]  # fmt: skip
        if chance.random() < 0.7:
            found = chance.choice([*PLACES, *plan, *posts]).encode()
        else:
            found = b"/" + b"/".join(chance.choice(PIECES) for _ in range(chance.randint(1, 4)))
        if chance.random() < 0.1:
            found = chance.choice([b"http://evil.example" + found, b"/" + found, b"*", found + b"/", found[1:] or b"x"])
        if chance.random() < 0.3:
            found += b"?" + self.fields(chance, quote=True)
        return found

    def fields(self, chance: random.Random, *, quote: bool) -> bytes:
        """Fields of a form: some right, some of them often."""
        given = {name: chance.choice(VALUES) for name in chance.sample(NAMES, chance.randint(1, 6))}
        if not quote:
            given |= {"csrf": self.csrf.encode()} if chance.random() < 0.6 else {}
            given |= {"sure": b"yes"} if chance.random() < 0.5 else {}
            given |= {"digest": self.digest[:-1].encode()} if chance.random() < 0.5 else {}
        found = urlencode(given).encode() if chance.random() < 0.9 else b"&".join(map(quoted, given.values()))
        return found[:1500] if quote else found * chance.choice([1] * 9 + [30])

    def request(self, chance: random.Random) -> tuple[bytes, bool]:
        """A request, and whether it may not be whole: then no answer is none of our fault."""
        method, target = chance.choice(METHODS), self.target(chance)
        body = self.fields(chance, quote=False) if method == b"POST" else b""
        body = chance.randbytes(chance.choice([3, 200, 20_000])) if chance.random() < 0.05 else body
        headers = [(b"Host", self.host)] if chance.random() < 0.95 else [(b"Host", chance.choice(hosts(self.host)))]
        headers += [(b"Cookie", self.cookie)] if chance.random() < 0.4 and b"/sign-out" not in target else []
        headers += [(b"Content-Type", chance.choice(KINDS))] if body else []
        headers += [(b"Sec-Fetch-Site", chance.choice(SITES))] if chance.random() < 0.2 else []
        headers += [(b"Origin", chance.choice([b"null", b"http://evil.example", b"http://[", b"x"]))] * (
            chance.random() < 0.1
        )
        tokens = [b"Bearer", b"Basic \xff", *(f"Bearer {token}".encode() for token in TOKENS.values())]
        headers += [(b"Authorization", chance.choice(tokens))] if chance.random() < 0.15 else []
        chunked = bool(body) and chance.random() < 0.15
        headers += (
            [(b"Transfer-Encoding", b"chunked")] if chunked else [(b"Content-Length", b"%d" % len(body))] * bool(body)
        )
        body = b"%x;x=y\r\n%b\r\n0\r\n\r\n" % (len(body), body) if chunked else body
        odd = chance.random() < 0.08
        if odd:
            headers = self.odd(chance, headers)
        version = chance.choice([b"HTTP/1.1"] * 20 + [b"HTTP/1.0", b"HTTP/9.9", b""])
        whole = b"%b %b %b\r\n%b\r\n%b" % (
            method,
            target,
            version,
            b"".join(b"%b: %b\r\n" % one for one in headers),
            body,
        )
        if chance.random() < 0.05:
            return mutated(chance, whole), True
        return whole, odd or chunked

    def odd(self, chance: random.Random, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Headers as nobody sends them."""
        more = chance.choice([
            [(b"X", b"y" * 20_000)], [(b"X-%d" % n, b"y") for n in range(150)], [(b"Cookie", b"\xff;=;a")] * 5,
            [(b"Content-Length", chance.choice(LENGTHS))],
            [(b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"3")],
            [(b"Transfer-Encoding", b"gzip, chunked")], [(b"Host", b"evil.example")], [(b"X", b"a\r\n b")],
            [(b"Expect", b"100-continue")], [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")], [(b"a b", b"c")],
            [(b"X-Forwarded-User", b"ada"), (b"X-Forwarded-For", b"::1")], [(b"Range", b"bytes=0-1")], [(b"", b"x")],
        ])  # fmt: skip
        return [*headers, *more]


@dataclass
class Scanned:
    """What came of it: answers by status, what is wrong, connections that were closed without an answer."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    unable: Counter[str] = field(default_factory=Counter)
    closed: int = 0
    waited: int = 0


def quoted(value: bytes) -> bytes:
    """As in an address."""
    return quote_from_bytes(value).encode()


def hosts(host: bytes) -> list[bytes]:
    """What may stand there instead."""
    port = host.rpartition(b":")[2]
    return [
        b"evil.example",
        b"",
        b"localhost:99999",
        b"127.0.0.1:" + port,
        b"[::1]:" + port,
        b"localhost.:1",
        b"\xff",
        b"a@b",
    ]


def mutated(chance: random.Random, whole: bytes) -> bytes:
    """Bytes of it changed, left out or put in; or its end cut off."""
    found = bytearray(whole)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(found) + 1)
        found[place : place + chance.choice([0, 1, 1, 1, 4])] = chance.randbytes(chance.choice([0, 1, 1, 2]))
    return bytes(found if chance.random() < 0.8 else found[: chance.randrange(1, len(found) + 1)])


class Talker:
    """A connection that is opened again where it was closed."""

    def __init__(self, port: int, found: Scanned) -> None:
        self.port, self.found = port, found
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def send(self, request: bytes, *, broken: bool) -> None:
        """Sends one and looks at the answer."""
        try:
            async with asyncio.timeout(HANGS if broken else PATIENCE):
                if self.writer is None:
                    self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
                self.writer.write(request)
                await self.writer.drain()
                goes_on = await self._answer(request)
                if broken or not goes_on:  # what is left of it would be taken for the next request
                    self.close()
        except (ValueError, asyncio.LimitOverrunError) as error:
            self.found.wrong.append(f"no answer of HTTP ({error}): {request[:300]!r}")
            self.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.found.closed += 1
            self.close()
        except TimeoutError:
            self.found.waited += 1
            if not broken:
                self.found.wrong.append(f"no answer: {request[:300]!r}")
            self.close()

    def close(self) -> None:
        """The next request has a connection of its own."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    async def _answer(self, request: bytes) -> bool:
        """Reads an answer; True where more may be asked on this connection."""
        assert self.reader is not None
        status = 100
        while status < 200:
            head = await self.reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
        lines = head.lower().split(b"\r\n")
        headers = dict(line.partition(b": ")[::2] for line in lines[1:] if line)
        content = b"" if request.startswith(b"HEAD ") else await self._content(headers)
        self.found.statuses[status] += 1
        if status in (502, 503):
            told = re.sub(r"<[^>]*>", " ", content.decode("utf-8", "replace").partition("<main")[2] or str(content))
            self.found.unable[" ".join(told.split())[:160]] += 1
        missing = [name for name in (b"content-security-policy", b"x-content-type-options", b"cache-control")
                   if name not in headers]  # fmt: skip
        if (status >= 500 and status not in (502, 503)) or missing or b"Traceback" in content or b"server" in headers:
            self.found.wrong.append(f"{status}, without {missing}: {request[:300]!r}")
        return headers.get(b"connection") != b"close" and b"close" not in request.lower()

    async def _content(self, headers: dict[bytes, bytes]) -> bytes:
        assert self.reader is not None
        if b"content-length" in headers:
            return await self.reader.readexactly(int(headers[b"content-length"]))
        if headers.get(b"transfer-encoding") != b"chunked":
            return await self.reader.read()
        found = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            found += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)
        return found


async def scan(known_here: Known, port: int, count: int, connections: int, seed: int) -> Scanned:
    """Sends so many requests; the same ones for a seed, but for what the server gave."""
    found, chance, left = Scanned(), random.Random(seed), iter(range(count))

    async def talk() -> None:
        talker = Talker(port, found)
        for _ in left:
            request, broken = known_here.request(chance)
            await talker.send(request, broken=broken)
        talker.close()

    await asyncio.gather(*(talk() for _ in range(connections)))
    return found


def held(pid: int) -> str:
    """What a process holds."""
    [kibibytes] = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return f"{int(kibibytes) / 1024:.1f} MiB, {files} file descriptors, {threads} threads"


@contextmanager
def served(folder: Path) -> Iterator[tuple[Serving, int, Office]]:
    """A server over a run, a plan that waits, a schedule and passkeys."""
    office = Office(folder, timetable=NIGHT)
    office.waits()
    a_run(office.site.state)
    port = free_port()
    for name, token in TOKENS.items():
        (office.config / name).write_text(f"{token}\n", encoding="ascii")
    rules = (office.config / "config.yaml").read_text(encoding="utf-8")
    told = "".join(f"  {name}: {name}\n" for name in TOKENS)
    (office.config / "config.yaml").write_text(f"{rules}serve:\n{told}{ROLES}", encoding="utf-8")
    words = ("--state-dir", str(office.site.state), "--config-dir", str(office.config), "--bind", f"localhost:{port}")
    with serving(folder, *words) as server:
        server.links()
        yield server, port, office


def signed_in(office: Office, port: int) -> Known:
    """Ada, an operator, by her passkey."""
    base = f"http://localhost:{port}"
    key: Passkey = office.keys["ada"]
    key.origin = base
    with requests.Session() as browser:
        challenge = challenge_of(browser.get(f"{base}/sign-in", timeout=60).text)
        answer = known(key, challenge, b"ada", "ada")
        entered = browser.post(f"{base}/sign-in/passkey", data={"answer": answer}, timeout=60)
        proof = re.findall(r'name="csrf" value="([\w-]+)"', entered.text)[0]
        cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
    return Known(f"localhost:{port}".encode(), cookie.encode(), proof, office.digest)


def main() -> int:
    """Says what was sent, what came back and what the server held."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=10_000)
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="scan-") as folder, served(Path(folder)) as (server, port, office):
        here = signed_in(office, port)
        statuses: Counter[int] = Counter()
        unable: Counter[str] = Counter()
        closed = waited = 0
        began = time.monotonic()
        share = max(1, chosen.requests // 10)
        print(f"before: {held(server.process.pid)}", flush=True)
        for part in range(10):
            found = asyncio.run(scan(here, port, share, chosen.connections, chosen.seed + part))
            statuses += found.statuses
            unable += found.unable
            closed, waited, wrong = closed + found.closed, waited + found.waited, wrong + found.wrong
            print(f"after {share * (part + 1):,}: {held(server.process.pid)}", flush=True)
        seconds = time.monotonic() - began
        print(f"{share * 10:,} requests in {seconds:.0f} s by {chosen.connections} connections, seed {chosen.seed}")
        print("answers by status: " + ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items())))
        for told, count in unable.most_common(9):
            print(f"unable, {count:,} times: {told}")
        print(f"without an answer: {closed:,} closed, {waited:,} not whole and given up")
        log = server.log.read_text(encoding="utf-8").splitlines()
        wrong += [f"the server said: {line}" for line in log if not line.startswith(("Serving ", "Sign in within "))]
        alive = requests.get(f"http://localhost:{port}/sign-in", timeout=60).status_code
        wrong += [] if alive == 200 else [f"it answers {alive}"]
        again = signed_in(office, port)
        wrong += [] if again.csrf else ["nobody can sign in any more"]
    for one in wrong[:20]:
        print(f"WRONG: {one}")
    print(f"{len(wrong)} wrong" if wrong else "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
