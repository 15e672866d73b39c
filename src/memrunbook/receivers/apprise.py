"""Tells mail, chats and pagers, by the library apprise (an extra): pip install 'memrunbook[notify]'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from msgspec import Meta

from memrunbook.core.text import clean
from memrunbook.receivers.shared.receiver import Message, NotTaken, Receiver
from memrunbook.receivers.shared.secret import secret

SHOWN = 200
EXTRA = "pip install 'memrunbook[notify]'"
EVERYBODY = re.compile(r"@(?=(?:everyone|here|channel|all)\b)", re.IGNORECASE)


class Apprise(Receiver, frozen=True, kw_only=True, tag="apprise"):
    """URLs of apprise, one a line. They hold passwords, so a file or a variable of the environment names them."""

    urls_file: Annotated[str, Meta(description="a file with URLs as apprise writes them, one a line")] = ""
    urls_variable: Annotated[str, Meta(description="a variable of the environment that holds them")] = ""

    def problem(self) -> str:
        """What is wrong with the options taken together."""
        return (
            "" if bool(self.urls_file) != bool(self.urls_variable) else "one of urls_file and urls_variable is needed"
        )

    def send(self, message: Message, seconds: float) -> None:
        """Hands it to every URL as plain text; NotTaken where one did not take it."""
        try:
            import apprise
        except ModuleNotFoundError:
            raise NotTaken("the library apprise is not installed here", hint=EXTRA) from None
        urls = [line.strip() for line in secret(self.urls_file, self.urls_variable).splitlines()]
        wait = max(1.0, seconds / 2)
        timed = apprise.AppriseAsset(app_id="memrunbook", secure_logging=True)
        senders = apprise.Apprise(asset=timed)
        with _listening() as heard:
            for url in (line for line in urls if line and not line.startswith("#")):
                sign = "&" if "?" in url else "?"
                if not senders.add(f"{url}{sign}rto={wait:.1f}&cto={wait:.1f}"):
                    raise NotTaken("apprise does not understand one of the URLs", hint="apprise's own page lists them")
            if not len(senders):
                raise NotTaken("there is no URL in it")
            taken = senders.notify(
                title=for_chats(message.title), body=for_chats(message.text), body_format=apprise.NotifyFormat.TEXT
            )
        if not taken:
            why = clean(heard[-1], SHOWN) if heard else "apprise does not say why"
            raise NotTaken(f"apprise says: {why}" if heard else why)


def for_chats(text: str) -> str:
    """Text that no chat takes for markup: no links behind other words, no tags, nobody woken who is not meant."""
    return EVERYBODY.sub("@ ", text.replace("<", "‹").replace(">", "›").replace("](", "] ("))  # noqa: RUF001


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What apprise complains of: it says so to its log alone."""
    import logging

    heard: list[str] = []

    class _Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    log, ear = logging.getLogger("apprise"), _Ear(logging.WARNING)
    before = log.propagate
    log.addHandler(ear)
    log.propagate = False
    try:
        yield heard
    finally:
        log.removeHandler(ear)
        log.propagate = before
