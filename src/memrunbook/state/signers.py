"""Whose signatures count: `allowed_signers` and a list of revoked keys, in the formats of ssh-keygen(1)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from memrunbook.core.errors import DocumentError, Problem
from memrunbook.core.instant import Instant
from memrunbook.core.plan.approval import same_person
from memrunbook.runtime.named_file import read_named
from memrunbook.state.signatures import CHECKS, NAMESPACE, FaultySignatureError, SigningKey, key_of

KRL = b"SSHKRL\n\0"
LARGEST = 16 << 20
"""Bytes of a list of signers or of revoked keys."""
BLANK = " \t\r"
"""What parts words for ssh-keygen; lines end at a newline, and at nothing else."""
# A word, of which parts may stand in quotes: `namespaces="a b,c"`.
WORD = re.compile(r'[ \t\r]*((?:[^ \t\r"]|"(?:[^"\\]|\\.)*")+)(?=[ \t\r]|$)')
OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?(?:,(?=.)|$)')
TIME = re.compile(r"([0-9]{8})(?:([0-9]{4})([0-9]{2})?)?(Z?)")
PATTERN = frozenset("*?!")
KNOWN = ("cert-authority", "namespaces", "valid-after", "valid-before")


@dataclass(frozen=True)
class Signer:
    """One line of `allowed_signers`: principals and namespaces are lists of patterns, times in seconds since 1970."""

    where: str
    principals: str
    key: SigningKey
    namespaces: str = "*"
    after: float = float("-inf")
    before: float = float("inf")
    authority: bool = False


@dataclass(frozen=True)
class Signers:
    """All lines of `allowed_signers`, and the keys that are revoked; where there are lists `also`, each must agree."""

    lines: tuple[Signer, ...] = ()
    revoked: frozenset[bytes] = frozenset()
    named: str = ""
    also: tuple[Signers, ...] = ()

    @classmethod
    def read_all(cls, allowed: Sequence[Path], revoked: Sequence[Path]) -> Signers:
        """Reads several files of each kind: each list must have a key, none may revoke it; DocumentError as `read`."""
        lists = [cls.read(one, None) for one in allowed] or [cls()]
        gone = frozenset(blob for one in revoked for blob in _revoked(one))
        return replace(lists[0], revoked=gone, also=tuple(lists[1:]))

    @classmethod
    def read(cls, allowed: Path | None, revoked: Path | None) -> Signers:
        """Reads both files; DocumentError with the line of every problem."""
        if allowed is None:
            return cls(revoked=_revoked(revoked))
        problems: list[Problem] = []
        lines = tuple(_lines(allowed, problems))
        if problems:
            raise DocumentError(problems)
        return cls(lines, _revoked(revoked), str(allowed))

    def fault(self, key: SigningKey, principal: str, now: Instant) -> str:
        """Why this key may not speak for this principal now; empty where it may."""
        if key.blob in self.revoked:
            return f"the key {key.fingerprint} is revoked"
        own = [line for line in self.lines if line.key.blob == key.blob and not line.authority]
        if not own:
            return f"the key {key.fingerprint} is not in {self.named}{self._authority()}"
        faults = [_fault(line, principal, now) for line in own]
        if "" not in faults:
            return faults[0]
        return next((fault for one in self.also if (fault := one.fault(key, principal, now))), "")

    def principals(self, key: SigningKey) -> tuple[str, ...]:
        """The names that a key may speak for, where they are plain names."""
        return tuple(name for name in self._listed(key) if not set(name) & PATTERN)

    def may_be(self, key: SigningKey, user: str) -> str:
        """The name or pattern by which a key may speak for a user of a control node; empty where none does."""
        return next((name for name in self._listed(key) if _means(name, user)), "") if user else ""

    def _listed(self, key: SigningKey) -> list[str]:
        every = (line for one in (self, *self.also) for line in one.lines)
        own = [line.principals for line in every if line.key.blob == key.blob and not line.authority]
        return [name for names in own for name in names.split(",")]

    def _authority(self) -> str:
        named = [line.where for line in self.lines if line.authority]
        return f" (the cert-authority at {named[0]} is not understood here: list the keys themselves)" if named else ""


def _means(principal: str, user: str) -> bool:
    """True where a name of `allowed_signers` is a user's, or is a pattern that this user's name matches."""
    if not set(principal) & PATTERN:
        return same_person(principal, user)
    return any(_matches(user.casefold(), one) for one in (principal.casefold(), principal.casefold().partition("@")[0]))


def _fault(line: Signer, principal: str, now: Instant) -> str:
    if not _matches(principal, line.principals):
        return f"the key is {line.principals}'s ({line.where})"
    if not _matches(NAMESPACE, line.namespaces):
        return f"the key may sign for {line.namespaces} alone ({line.where})"
    if now.utc < line.after:
        return f"the key is not valid yet: from {_moment(line.after)} ({line.where})"
    if now.utc > line.before:
        return f"the key has expired: {_moment(line.before)} ({line.where})"
    return ""


def _moment(utc: float) -> str:
    return Instant(utc, 0.0).isoformat()


def _matches(name: str, patterns: str) -> bool:
    """OpenSSH's lists of patterns: any may match, none that begins with "!"."""
    found = False
    for pattern in patterns.split(","):
        glob = pattern.removeprefix("!").replace("[", "[[]")  # only * and ? are special there
        if fnmatch.fnmatchcase(name, glob):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _read(path: Path) -> bytes:
    try:
        return read_named(path, LARGEST)
    except OSError as error:
        raise DocumentError(
            [Problem(str(path), f"the file cannot be read: {error.strerror}", "mend or move it")]
        ) from None


def _text(path: Path, content: bytes) -> Iterator[tuple[str, str]]:
    """Each line that says something, and where it stands."""
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), 1):
        said = line.strip(BLANK)
        if said and not said.startswith("#"):
            yield f"{path}:{number}", said


def _lines(path: Path, problems: list[Problem]) -> Iterator[Signer]:
    for where, line in _text(path, _read(path)):
        try:
            yield _signer(where, _words(line))
        except ValueError as error:
            hint = "write: PRINCIPALS [OPTIONS] TYPE KEY, as ssh-keygen(1) says under ALLOWED SIGNERS"
            problems.append(Problem(where, str(error), hint))


def _words(line: str) -> Iterator[str]:
    """The words of a line, one by one: what stands behind the key may be anything."""
    place = 0
    while place < len(line):
        match = WORD.match(line, place)
        if match is None:
            raise ValueError(f"{line[place:].strip(BLANK)!r} is no word: a quote has no end")
        yield match[1]
        place = match.end()


def _signer(where: str, words: Iterator[str]) -> Signer:
    principals, kind = next(words), next(words, "")
    options = {} if _is_type(kind) else _options(kind)
    kind = kind if _is_type(kind) else next(words, "")
    limits = {name: _time(options[f"valid-{name}"]) for name in ("after", "before") if f"valid-{name}" in options}
    if len(limits) > 1 and limits["before"] <= limits["after"]:
        raise ValueError("valid-before is not later than valid-after")
    return Signer(
        where,
        principals.strip('"'),
        _key([word for word in (kind, next(words, "")) if word]),
        namespaces=options.get("namespaces", "*"),
        authority="cert-authority" in options,
        **limits,
    )


def _is_type(word: str) -> bool:
    return word in CHECKS or "-cert-v01@" in word or word == "ssh-dss"


def _key(words: list[str]) -> SigningKey:
    if len(words) < 2 or not _is_type(words[0]):  # noqa: PLR2004  a type and a key
        raise ValueError("there is no key in this line")
    try:
        key = key_of(base64.b64decode(words[1], validate=True))
    except (binascii.Error, FaultySignatureError):
        raise ValueError("the key is damaged") from None
    if key.kind != words[0]:
        raise ValueError(f"the key is of the type {key.kind!r}, not {words[0]!r}")
    return key


def _options(word: str) -> dict[str, str]:
    found: dict[str, str] = {}
    place = 0
    while place < len(word):
        match = OPTION.match(word, place)
        if match is None or match[1].lower() not in KNOWN:
            raise ValueError(f"{word[place:]!r} is no option: there are {', '.join(KNOWN)}")
        if match[1].lower() in found:
            raise ValueError(f"{match[1]} is given twice")
        found[match[1].lower()] = (match[2] or "").replace('\\"', '"')
        place = match.end()
    return found


def _time(text: str) -> float:
    """YYYYMMDD[HHMM[SS]], in the time zone of this machine, or with a Z in UTC."""
    match = TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time: write YYYYMMDD or YYYYMMDDHHMM[SS], with a Z for UTC")
    digits = f"{match[1]}{match[2] or '0000'}{match[3] or '00'}"
    try:
        moment = dt.datetime.strptime(digits, "%Y%m%d%H%M%S").astimezone() if not match[4] else None
        moment = moment or dt.datetime.strptime(f"{digits}+0000", "%Y%m%d%H%M%S%z")
    except ValueError:
        raise ValueError(f"{text!r} is no time") from None
    return moment.timestamp()


def _revoked(path: Path | None) -> frozenset[bytes]:
    if path is None:
        return frozenset()
    content = _read(path)
    if content.startswith(KRL):
        hint = "list the revoked public keys themselves, one a line"
        raise DocumentError([Problem(str(path), "key revocation lists (KRL) are not understood here", hint)])
    problems: list[Problem] = []
    found = set()
    for where, line in _text(path, content):
        try:
            words = line.split()
            found.add(_key(words[next((n for n, word in enumerate(words) if _is_type(word)), 0) :]).blob)
        except ValueError as error:
            problems.append(Problem(where, str(error), "a public key a line, as in a .pub file"))
    if problems:
        raise DocumentError(problems)
    return frozenset(found)
