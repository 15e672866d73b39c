"""Tells those who do not sit at the keyboard: queues what is to be told, then tries to send it, within a bound."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from memrunbook.app.going_on import completed, completed_in, words_here
from memrunbook.app.occasions import notifications_of, report_command
from memrunbook.app.run_arguments import RunArguments, RunResult
from memrunbook.app.stored import Stored
from memrunbook.core.errors import RunbookError, UsageError
from memrunbook.core.run.notification import Notification
from memrunbook.core.run.queued import Queued
from memrunbook.core.run.together import together
from memrunbook.core.text import clean
from memrunbook.documents.library import Library
from memrunbook.receivers.shared.receiver import Message, NotTaken, Receiver
from memrunbook.runtime.clock import SystemClock
from memrunbook.runtime.redaction import redact
from memrunbook.state.paths import prepare

if TYPE_CHECKING:
    from memrunbook.documents.config import Config
    from memrunbook.state.store.changes import Store

BOUND = 20.0
"""Seconds that one telling takes at most, however many receivers are dead."""
LEASE = 120.0
"""Seconds that whoever is at sending a message has it for itself; who dies meanwhile holds it up no longer."""
LINE, EVIDENCE = 500, 25
"""Characters of a line, and lines of evidence: a message is read on a telephone."""
NAME = 64


@dataclass
class Sent:
    """What came of sending: how many were taken, and why others were not, by receiver."""

    taken: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def tell(notifications: Sequence[Notification], state: Path, library: Library, store: str = "") -> None:
    """Queues what each receiver is to be told, durably, and tries to send all that waits, within BOUND seconds.

    Nothing is raised for a receiver that fails, nor for a store that does. UsageError and DocumentError for a
    config.yaml that cannot be read.
    """
    told(notifications, state, library, store)


def told(
    notifications: Sequence[Notification], state: Path, library: Library, store: str = "", options: Sequence[str] = ()
) -> tuple[str, ...]:
    """The same; why somebody may not be told, a sentence each. `options` are words that commands to go on need."""
    config = library.config()
    if not notifications or not config.notify:
        return ()
    words = words_here(state, library, store, options)
    now, wanted = SystemClock().now().utc, [safe(complete(one, words)) for one in notifications]
    try:
        with closing(Stored(prepare(state), config, store).open()) as opened:
            _queue(opened, config, wanted, words, now)
            try:
                found = _send(opened, config.notify)
            except RunbookError as error:  # it is queued, and may be sent already: not once more past the queue
                return (f"what came of telling cannot be kept: {error}",)
    except RunbookError as error:  # without a queue once is better than never
        return (f"what is to be told cannot be queued: {error}", *told_past_queue(wanted, config, words))
    return tuple(f"{name} was not told yet: {why}" for name, why in found.problems.items())


def told_past_queue(notifications: Sequence[Notification], config: Config, words: Sequence[str]) -> tuple[str, ...]:
    """Tells each receiver of a configuration once, and keeps nothing; why each was not told that was not.

    `words` complete the commands.
    """
    now, wanted = SystemClock().now().utc, [safe(complete(one, words)) for one in notifications]
    tried = [
        _Delivery(
            one, [_message(told, _ident(one.name, told.key, now), 1) for told in _joined(words, _for(one, wanted))]
        )
        for one in config.notify
    ]
    _at_once(tried)
    return tuple(f"{one.receiver.name} was not told: {one.why}" for one in tried if one.why)


def tell_of_run(result: RunResult, runbook: str, asked: RunArguments) -> tuple[str, ...]:
    """Tells of the hosts with which a run ended badly; why somebody may not be told, a sentence each."""
    notifications = notifications_of(result, runbook, asked.library.config(), SystemClock().now().utc)
    return told(notifications, asked.state, asked.library, asked.store, asked.options)


def complete(one: Notification, words: Sequence[str]) -> Notification:
    """The same, its command, and those in its evidence, as they are typed anywhere."""
    evidence = tuple(completed_in(said, words) for said in one.evidence)
    made = completed if one.command.startswith("runbook ") else completed_in  # "systemctl …, or: runbook …"
    return structs.replace(one, command=made(one.command, words), evidence=evidence)


def send_waiting(state: Path, library: Library, store: str = "", *, every: bool = False) -> Sent:
    """Tries to send what waits and is due, or with `every` all that waits; JournalError where the store fails."""
    config, stored = library.config(), Stored(state, library.config(), store)
    if stored.missing or not config.notify:
        return Sent()
    with closing(stored.open()) as opened:
        return _send(opened, config.notify, every=every)


def waiting(state: Path, library: Library, store: str = "") -> list[Queued]:
    """What waits, was sent and was given up; JournalError where the store fails."""
    from memrunbook.state.store.notifications import listed

    stored = Stored(state, library.config(), store)
    if stored.missing:
        return []
    with closing(stored.open()) as opened:
        return listed(opened)


def try_out(library: Library, name: str = "") -> dict[str, str]:
    """Sends a test to one receiver, or to all, past the queue: by name why it was not taken, empty where it was.

    UsageError where there is no such receiver.
    """
    config = library.config()
    chosen = [one for one in config.notify if name in ("", one.name)]
    if not chosen:
        known = ", ".join(one.name for one in config.notify)
        hint = f"there are: {known}" if known else "notify: in config.yaml names them"
        raise UsageError(f"there is no receiver {clean(name, NAME)!r}" if name else "there is no receiver", hint=hint)
    now, node = SystemClock().now().utc, os.uname().nodename
    test = Notification(
        occasion="restored",
        key="test",
        at=now,
        verdict="a test of memrunbook: nothing is wrong, nothing is to be done",
        evidence=(f"sent by hand on {node}",),
    )
    message = _message(test, f"{node}-test-{now:.0f}", 1, test=True)
    tried = [_Delivery(one, [message]) for one in chosen]
    _at_once(tried)
    return {one.receiver.name: one.why for one in tried}


def safe(one: Notification) -> Notification:
    """The same without secrets, each text on a line of its own that steers nothing."""

    def line(text: str) -> str:
        return clean(redact(text), LINE)

    more = len(one.evidence) - EVIDENCE
    evidence = [line(text) for text in one.evidence[:EVIDENCE]]
    return structs.replace(
        one,
        key=redact(one.key),
        verdict=line(one.verdict),
        host=clean(one.host),
        runbook=clean(one.runbook),
        schedule=clean(one.schedule),
        evidence=(*evidence, *([f"and {more} more lines"] if more > 0 else [])),
        command=clean(redact(one.command), 2 * LINE),
    )


def _for(receiver: Receiver, notifications: Iterable[Notification]) -> list[Notification]:
    """What a receiver is told of that: its occasions and hosts."""
    return [
        one
        for one in notifications
        if one.occasion in receiver.on and (not one.host or fnmatch.fnmatchcase(one.host, receiver.hosts))
    ]


def _joined(words: Sequence[str], notifications: Iterable[Notification]) -> list[Notification]:
    """What belongs together as one; `words` complete the commands."""
    return [safe(one) for one in together(notifications, lambda run: completed(report_command(run), words))]


def _queue(store: Store, config: Config, wanted: Sequence[Notification], words: Sequence[str], now: float) -> None:
    from memrunbook.state.store.notifications import queue

    for receiver in config.notify:
        mine = _for(receiver, wanted)
        queue(store, receiver.name, mine, float(receiver.repeat), now, join=partial(_joined, words))


@dataclass
class _Delivery:
    """What one receiver is handed, in order, until it does not take one.

    `why` says why that is, `after` in how many seconds it may be tried again.
    """

    receiver: Receiver
    messages: Sequence[Message]
    done: Callable[[int], object] = lambda _place: None
    taken: int = 0
    why: str = "it did not end in time"
    after: float = 0.0

    def run(self) -> None:
        """Hands over, and says of each at once that it is `done`; never raises."""
        until = time.monotonic() + BOUND
        for message in self.messages:
            try:
                self.receiver.send(message, max(1.0, min(float(self.receiver.deadline), until - time.monotonic())))
                self.taken += 1
            except RunbookError as error:
                self.why = clean(redact(f"{error}{'; ' if error.hint else ''}{error.hint}"), LINE)
                self.after = error.after if isinstance(error, NotTaken) else 0.0
                return
            except Exception as error:  # noqa: BLE001  a library's defect must not end a run
                self.why = clean(redact(f"{type(error).__name__}: {error}"), LINE)
                return
            try:
                self.done(self.taken - 1)
            except RunbookError:  # the store's trouble is not its receiver's, and is met again when the rest is kept
                break
            if time.monotonic() >= until:
                break
        self.why = ""


def _at_once(deliveries: Sequence[_Delivery]) -> None:
    """Tells all receivers side by side: none waits for another, and nobody for one that does not end."""
    threads = [threading.Thread(target=one.run, daemon=True) for one in deliveries]
    for thread, one in zip(threads, deliveries, strict=True):
        try:
            thread.start()
        except RuntimeError:  # ulimit -u: what waits is tried later
            one.why = "no thread can be started here"
    until = time.monotonic() + BOUND
    for thread in (one for one in threads if one.ident is not None):
        thread.join(max(0.0, until - time.monotonic()))


def _send(store: Store, receivers: Sequence[Receiver], *, every: bool = False) -> Sent:
    from memrunbook.state.store import notifications as kept

    by_name = {one.name: one for one in receivers}
    now = SystemClock().now().utc
    mine: dict[str, list[Queued]] = defaultdict(list)
    for one in kept.claim(store, by_name, now, LEASE, every=every):
        mine[one.receiver].append(one)
    deliveries = [
        _Delivery(by_name[name], [_of_queue(one) for one in several], partial(_remember, store, several))
        for name, several in mine.items()
    ]
    _at_once(deliveries)
    found, now = Sent(), SystemClock().now().utc
    for delivery, several in zip(deliveries, mine.values(), strict=True):
        taken, why = delivery.taken, delivery.why
        if why and taken < len(several):
            kept.failed(store, several[taken], why, now, delivery.after)
            found.problems[delivery.receiver.name] = why
        kept.put_back(store, several[taken + bool(why) :], now, delivery.after)
        found.taken += taken
    return found


def _remember(store: Store, several: Sequence[Queued], place: int) -> None:
    """At once: whoever is killed before the next message must not send this one again."""
    from memrunbook.state.store.notifications import sent

    sent(store, several[place], SystemClock().now().utc)


def _of_queue(one: Queued) -> Message:
    return _message(one.notification, _ident(one.receiver, one.notification.key, one.queued), one.seen)


def _ident(receiver: str, key: str, queued: float) -> str:
    """Of one message to one receiver, the same each time that it is tried."""
    return hashlib.sha256(f"{receiver} {key} {queued}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _message(one: Notification, ident: str, seen: int, *, test: bool = False) -> Message:
    """As it is handed over: what to do stands last, on a line of its own."""
    import msgspec

    from memrunbook.documents.printed.notification import notification_document

    node = os.uname().nodename
    known = notification_document(one, ident, seen, node, test=test)
    counted = [f"seen {seen} times since it was told before"] if seen > 1 else []
    go_on = ["to go on:", f"  {one.command}"] if one.command else []
    run = [f"run {one.run}"] if one.run else []
    text = "\n".join([*one.evidence, *counted, *run, f"told by {node}", *go_on])
    return Message(known.id, one.verdict, text, msgspec.json.encode(known))
