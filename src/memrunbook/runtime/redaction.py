"""Hides what looks like a secret before it is kept, sent or shown, and every value that was said to be one.

Named (`password=x`, `--token x`, `DB_PASS=x`), in its place (`scheme://user:x@host`, `Authorization: x`, `-p x`), or by
its shape (keys and tokens of well-known makers, private keys). Each rule costs nothing on a text that has none of its
hints; no pattern runs back over what it has read, so that a megabyte of anything takes milliseconds.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import msgspec

from memrunbook.core.reading.fact import Reading
from memrunbook.core.text import encodable
from memrunbook.core.units import encode
from memrunbook.runtime.secrets_told import told

if TYPE_CHECKING:
    # Every screen hides secrets, and `list` shall not load all that a run is made of.
    from memrunbook.core.run.record import Envelope

HIDDEN = "[redacted]"
NAMES = r"(?:password|passwd|passphrase|secret|token|credential)"
KEYS = r"(?:(?:api|access|private)[-_]?key)"
VALUE = r"(?:\"[^\"\n]*\"|'[^'\n]*'|\S+)"
# A word that has letters and digits and is neither a path, a port, a name nor NAME=VALUE.
WORD_LIKE_ONE = r"(?=\S*\d)(?=\S*[A-Za-z])[^\s/=:.,\-\[][^\s/=]{5,}"
# "password: 1 fact was not read" and "a secret of ours" are words of people: behind a colon a secret has three
# characters or quotes, behind a blank it looks like one.
BETWEEN = (
    r"\w{0,40}[\"']?(?:\s{0,40}=\s{0,40}(?=\S)|\s{0,40}:\s{0,40}(?=[\"']|\S{3})|\s{1,40}(?="
    + WORD_LIKE_ONE
    + r"(?!\S)))"
)
OPTION = re.compile(rf"(?i)--?[\w-]*(?<!no-ask-)(?<!--ask-sudo-)(?:{NAMES}s?|{KEYS})")
MYSQL = re.compile(r"(?:\S*/)?(?:mysql|mariadb)\w*")
E = TypeVar("E", bound="Envelope")


class HidingRule(NamedTuple):
    """A pattern and what takes its place. In folded text that it matches stand one of `hints` and `also`."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    instead: str
    also: str = ""


RULES = (
    HidingRule(
        ("private key-----",),
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    HidingRule(
        ("authorization", "cookie"),
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)([\"']?\s{0,40}[:=]\s{0,40}[\"']?)(?!\s{0,40}\[redacted)([^\"'\r\n]+)"
        ),
        rf"\1\2{HIDDEN}",
    ),
    HidingRule(("bearer",), re.compile(r"(?i)\b(bearer)(\s{1,40})[A-Za-z0-9._~+/=\-]{8,}"), rf"\1\2{HIDDEN}"),
    HidingRule(("://",), re.compile(r"(://[^\s/:@\"'<>]*):[^\s/\"'<>]*@"), rf"\1:{HIDDEN}@", "@"),
    HidingRule(
        ("akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-",
         "glptt-", "glft-", "glsoat-", "xox", "xapp-", "hooks.slack.com", "aiza", "eyj", "sk_live_", "npm_"),
        re.compile(
            r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
            r"|\bgl(?:pat|dt|rt|cbt|ptt|ft|soat)-[A-Za-z0-9_\-]{16,}|\bxox[a-z]-[A-Za-z0-9\-]{8,}"
            r"|\bxapp-[A-Za-z0-9\-]{8,}|\bhooks\.slack\.com/services/\S+|\bAIza[A-Za-z0-9_\-]{30,}"
            r"|(?<![\w\-])eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]*|\bsk_live_[A-Za-z0-9]{10,}|\bnpm_[A-Za-z0-9]{30,}"
        ),
        HIDDEN,
    ),
    HidingRule(
        ("passw", "passphrase", "secret", "token", "credent"),
        re.compile(rf"(?i)({NAMES}{BETWEEN})(?!\s{{0,40}}\[redacted){VALUE}"),
        rf"\1{HIDDEN}",
    ),
    HidingRule(
        ("passw", "passphrase", "secret", "token", "credent", "key"),
        re.compile(
            rf"(?i)(-[\w\-]{{0,60}}(?<!no-ask-)(?<!--ask-sudo-)(?:{NAMES}|{KEYS})\w{{0,40}}\s{{1,40}})(?!\s{{0,40}}\[redacted)(?![\-\s]){VALUE}"
        ),
        rf"\1{HIDDEN}",
    ),
    HidingRule(("key",), re.compile(rf"(?i)({KEYS}{BETWEEN})(?!\s{{0,40}}\[redacted){VALUE}"), rf"\1{HIDDEN}"),
    HidingRule(
        ("key=", "pass=", "pwd=", "dsn=", "auth="),
        re.compile(rf"\b([A-Z0-9_]{{0,60}}(?:KEY|PASS|PWD|DSN|AUTH))=(?!\s{{0,40}}\[redacted){VALUE}"),
        rf"\1={HIDDEN}",
    ),
    HidingRule(
        ("mysql", "mariadb"),
        re.compile(r"\b((?:mysql|mariadb)\w{0,20}\b[^\n]{0,200}?\s-p)(?!\s{0,40}\[redacted)[^\s\-]\S*"),
        rf"\1{HIDDEN}",
        "-p",
    ),
    HidingRule(
        ("sshpass",), re.compile(r"\b(sshpass\s{1,40}-p\s{0,40})(?!\s{0,40}\[redacted)\S+"), rf"\1{HIDDEN}"
    ),
    HidingRule(
        ("-p ", "-p\t", "-p\n", '-p"', "-p\\"),
        re.compile(rf"(?<!\S)(-p\s{{1,40}}){WORD_LIKE_ONE}(?!\S)"),
        rf"\1{HIDDEN}",
    ),
    HidingRule(
        ("-u", "--user"),
        re.compile(r"(?<!\S)((?:-u|--user)(?:\s{1,40}|=)?[\w.@\\\-]{1,80}):(?!\d+\b|\[redacted)[^\s/]+"),
        rf"\1:{HIDDEN}",
        ":",
    ),
)  # fmt: skip
SHORTEST = 13
"""What has a shape of its own is longer; what is named or in its place has a sign or a blank before it."""
PARTED = re.compile(r"[\s=:]")
# Of hints that stand in most texts it is asked in which company.
TELLING = tuple(
    hint for rule in RULES for hint in rule.hints if hint not in {"key", "://", "-u", "--user", "mysql", "mariadb"}
)
URL = next(rule.pattern for rule in RULES if rule.hints == ("://",))
KEYED = re.compile(r"(?:ap..?|access|pr..?vate)[-_]?key")
USER = re.compile(r"-u(?:ser)?(?:[\s=\"\\]|[^\s:=]{1,80}:)")
MYSQL_USED = re.compile(r"(?:mysql|mariadb)[^\n]{0,240}?-p")


def redact(text: str) -> str:
    """Hides what looks like a secret in a text, and what was said to be one."""
    known = told.pattern
    if known is not None and told.in_text(text):
        text = known.sub(HIDDEN, text)
    if len(text) < SHORTEST and PARTED.search(text) is None:
        return text
    folded = text.casefold()
    for rule in RULES:
        for hint in rule.hints:
            if hint in folded and rule.also in folded:
                text = rule.pattern.sub(rule.instead, text)
                break
    return text


def redacted(value: Any) -> Any:
    """The same for plain values: in a list, the word behind an option that names a secret is hidden too."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _entry(key, entry) for key, entry in value.items()}
    if not isinstance(value, list | tuple):
        return value
    before = [None, *value]
    mysql = bool(value) and isinstance(value[0], str) and MYSQL.fullmatch(value[0]) is not None
    return [_word(one, two, mysql=mysql) for one, two in zip(before, value, strict=False)]


_FIRST_USE = threading.Lock()
"""msgspec learns a type when it is first decoded: a second thread that comes meanwhile ends the process (SIGSEGV)."""


def without_secrets(envelope: E, readings: Mapping[str, type[Reading]]) -> E:
    """The envelope with what looks like a secret hidden; itself where nothing does. `readings`: the facts' types.

    What the journal keeps and what a run is told is this: a run that is read back has seen the same.
    """
    from memrunbook.core.run.record import decode, plain

    try:
        if not may_hold_secret(msgspec.json.encode(envelope, enc_hook=encode).decode()):
            return envelope
        hidden = redacted(plain(envelope))
    except UnicodeEncodeError:  # a lone surrogate, from a command line or an error's text
        hidden = redacted(encodable(plain(envelope)))
    with _FIRST_USE:
        return cast("E", decode(hidden, readings))


def may_hold_secret(text: str) -> bool:
    """False for most texts, in a hundredth of the time that the search takes; JSON of a value tells for all of it."""
    folded = text.casefold()
    if told.in_text(text) or any(hint in folded for hint in TELLING):
        return True
    if "key" in folded and KEYED.search(folded) is not None:
        return True
    if "-p" in folded and MYSQL_USED.search(folded) is not None:
        return True
    return ("-u" in folded and USER.search(folded) is not None) or ("://" in folded and URL.search(text) is not None)


def named_secret(name: str) -> bool:
    """True for a name that is one of a secret, as `db_password`."""
    return re.search(rf"(?i){NAMES}|{KEYS}", name) is not None


def without_values(parameters: Mapping[str, object]) -> dict[str, str]:
    """Parameters as a journal may show them: what a secret is called by its name, or looks like one, is hidden."""
    return {name: HIDDEN if named_secret(name) else redact(str(value)) for name, value in parameters.items()}


def _entry(key: Any, entry: Any) -> Any:
    if isinstance(entry, str) and entry and isinstance(key, str) and named_secret(key):
        return HIDDEN
    return redacted(entry)


def _word(before: Any, word: Any, *, mysql: bool) -> Any:
    """One of a list: what stands behind an option that names a secret is one."""
    if not isinstance(word, str):
        return redacted(word)
    if isinstance(before, str) and not word.startswith("-"):
        if before.startswith("-") and OPTION.fullmatch(before) is not None:
            return HIDDEN
        if before == "-p" and re.fullmatch(WORD_LIKE_ONE, word) is not None:
            return HIDDEN
        if before in ("-u", "--user") and re.fullmatch(r"[\w.@\\\-]{1,80}:(?!\d+$)\S+", word) is not None:
            return f"{word.partition(':')[0]}:{HIDDEN}"
    if mysql and word.startswith("-p") and len(word) > len("-p"):
        return f"-p{HIDDEN}"
    return redact(word)
