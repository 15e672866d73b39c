"""Servers that behave badly: asyncssh in a thread of the test, and bare sockets that are no SSH servers at all."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import asyncssh
from tests.sshd import QUICK

from memrunbook.core.host import Host
from memrunbook.transports.shared.ssh_options import SshOptions

USER = "ada"
CUT = b"<cut the connection>"
STALL = b"<stall>"


@dataclass
class Server:
    """An SSH server whose shell is a real sh, and whose misbehaviour is set by these fields.

    Output that holds CUT ends the connection, STALL stops all further output. `sudo` is what `sudo -n` answers: "" lets
    it through. `answer` replaces the shell by that text; `deaf` never answers an exec, `slow_login` no login.
    """

    folder: Path
    port: int = 0
    sudo: str = "sudo: a password is required\n"
    answer: bytes | None = None
    deaf: bool = False
    slow_login: bool = False
    commands: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def host(self) -> Host:
        return Host(name="127.0.0.1", user=USER, port=self.port)

    @property
    def options(self) -> SshOptions:
        return SshOptions(
            identities=(self.folder / "id",),
            known_hosts=(self.folder / "known_hosts",),
            ssh_config=self.folder / "config",
            timeouts=QUICK,
        )

    async def handle(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Runs the command that the client asked for."""
        command = process.command or ""
        self.commands.append(command)
        if self.deaf:
            await asyncio.sleep(60)
        if self.answer is not None:
            process.stdout.write(self.answer)
            process.exit(1)
        elif "sudo" in command and self.sudo:
            process.stderr.write(self.sudo.encode())
            process.exit(1)
        else:
            await _shell(self, process, command.replace("sudo -n ", ""))


async def _shell(server: Server, process: asyncssh.SSHServerProcess[bytes], command: str) -> None:
    words = ["sh", "-c", command]
    pipe = subprocess.PIPE
    child = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, start_new_session=True)  # noqa: ASYNC220 - returns at once; asyncio's own children outlive their loop badly
    server.children.append(child)
    assert child.stdin
    assert child.stdout
    feeding = asyncio.create_task(_feed(process, child.stdin))
    stalled = False
    while data := await asyncio.to_thread(os.read, child.stdout.fileno(), 1 << 16):
        stalled = stalled or STALL in data
        if CUT in data:
            process.stdout.write(data.partition(CUT)[0])
            await asyncio.sleep(0.05)
            process.channel.get_connection().abort()
        if not stalled:
            with suppress(OSError, asyncssh.Error):
                process.stdout.write(data)
                await process.stdout.drain()
    feeding.cancel()
    process.exit(await asyncio.to_thread(child.wait))


async def _feed(process: asyncssh.SSHServerProcess[bytes], sink: IO[bytes]) -> None:
    with suppress(OSError, asyncssh.Error):
        while data := await process.stdin.read(1 << 16):
            await asyncio.to_thread(os.write, sink.fileno(), data)
    sink.close()


class _Door(asyncssh.SSHServer):
    def __init__(self, server: Server) -> None:
        self._server = server

    async def begin_auth(self, username: str) -> bool:
        self._server.logins.append(username)
        if self._server.slow_login:
            await asyncio.sleep(60)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        allowed = asyncssh.read_public_key(self._server.folder / "id.pub")
        return username == USER and bool(key == allowed)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A server in a thread; its host key is in the client's known_hosts file."""
    host, own = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    own.write_private_key(folder / "id")
    (folder / "id").chmod(0o600)
    own.write_public_key(folder / "id.pub")
    (folder / "config").touch()
    server = Server(folder)
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(64))  # one thread a shell
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def call(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    acceptor = call(_listen(server, host))
    server.port = acceptor.get_port()
    public = host.export_public_key().decode()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {public}", encoding="ascii")
    try:
        yield server
    finally:
        for child in server.children:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        call(_end(acceptor, loop))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _listen(server: Server, host: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
    return await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host],
        server_factory=lambda: _Door(server),
        process_factory=server.handle,
        encoding=None,
    )


async def _end(acceptor: asyncssh.SSHAcceptor, loop: asyncio.AbstractEventLoop) -> None:
    acceptor.close()
    rest = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await loop.shutdown_default_executor()


@contextmanager
def listening(greet: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP port that accepts, and treats each connection as `greet` does; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        held: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(door.accept()[0])
                    threading.Thread(target=greet, args=(held[-1],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(door.getsockname()[1])
        door.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()
