"""Keeps what a host answers to probes, as a bundle that `replay` reads; what looks like a secret is hidden in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from memrunbook.core.host import HostIdentity
from memrunbook.core.reading.probe import CASE, MARK, read_sample, write_sample
from memrunbook.runtime.ports import Connector, Output, Session
from memrunbook.runtime.redaction import redact
from memrunbook.transports.shared.bundle import head


class RecordConnector:
    """Opens sessions whose answers to probes are written to a text stream."""

    def __init__(self, connector: Connector, file: TextIO) -> None:
        self._connector = connector
        self._file = file
        self._begun = False

    def connect(self) -> RecordSession:
        """Raises what the real connector raises."""
        if not self._begun:
            self._file.write(head())
            self._begun = True
        return RecordSession(self._connector.connect(), self._file)


class RecordSession:
    """A session that is listened to."""

    def __init__(self, session: Session, file: TextIO) -> None:
        self._session = session
        self._file = file

    @property
    def identity(self) -> HostIdentity:
        return self._session.identity

    @property
    def root(self) -> bool:
        return self._session.root

    @property
    def no_root(self) -> str:
        return self._session.no_root

    def execute(self, script: str, args: Sequence[str] = (), *, timeout: float = 30.0, limit: int = 1 << 20) -> Output:
        """Executes, and writes down the sample where the script is a probe."""
        output = self._session.execute(script, args, timeout=timeout, limit=limit)
        if script.startswith(MARK):
            self._file.write(write_sample(read_sample(redact(output.text), args[0]), CASE))
        return output

    def close(self) -> None:
        self._session.close()
