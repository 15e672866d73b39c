"""Reads where and as whom to connect from an OpenSSH client configuration; refuses what it cannot honour."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from memrunbook.core.errors import UsageError
from memrunbook.transports.shared.this_user import this_user

HONOURED = {"hostname", "user", "port", "identityfile", "userknownhostsfile", "proxyjump", "identitiesonly"}

# These change neither where nor as whom we connect, or we are stricter than they could make us.
_HARMLESS = """
addkeystoagent addressfamily batchmode casignaturealgorithms
challengeresponseauthentication checkhostip ciphers clearallforwardings compression connectionattempts
connecttimeout controlmaster controlpath controlpersist dynamicforward enableescapecommandline escapechar
exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout
forwardx11trusted gatewayports globalknownhostsfile gssapiauthentication gssapidelegatecredentials
hashknownhosts hostbasedauthentication hostkeyalgorithms ignoreunknown ipqos
kbdinteractiveauthentication kexalgorithms localcommand localforward loglevel logverbose macs
nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication
permitlocalcommand preferredauthentications pubkeyacceptedalgorithms pubkeyacceptedkeytypes
pubkeyauthentication rekeylimit remoteforward requesttty requiredrsasize sendenv serveralivecountmax
serveraliveinterval setenv stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking
syslogfacility tcpkeepalive tunnel updatehostkeys usekeychain verifyhostkeydns visualhostkey xauthlocation
"""
HARMLESS = frozenset(_HARMLESS.split())

LETTERS = {"o": "", "J": "ProxyJump", "l": "User", "p": "Port", "i": "IdentityFile"}
"""Letters of ssh's command line that take a value, and the keyword that each stands for."""
FLAGS = frozenset("46ACTXYaqtkNnvx")
"""Letters that change neither where nor as whom we connect."""

_LINE = re.compile(r"(\w+)(?:\s*=\s*|\s+)(.*)")


@dataclass(frozen=True)
class Directive:
    """One line of the file, for hosts of these patterns; `uncertain` in a Match block: it may apply."""

    keyword: str
    words: tuple[str, ...]
    hosts: tuple[str, ...]
    uncertain: bool
    where: str

    def applies(self, name: str) -> bool:
        """True when the line is for the host that was named so."""
        refused = any(fnmatch.fnmatchcase(name, pattern[1:]) for pattern in self.hosts if pattern.startswith("!"))
        return not refused and any(fnmatch.fnmatchcase(name, pattern) for pattern in self.hosts)


@dataclass(frozen=True)
class HostSettings:
    """What the configuration says of one host; empty where it says nothing."""

    host_name: str = ""
    user: str = ""
    port: int = 0
    identity_files: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    proxy_jump: str = ""
    identities_only: bool = False


class SshConfig:
    """A configuration that was read. The first value of a keyword wins, as in ssh; only IdentityFile adds up."""

    def __init__(self, settings: Iterable[Directive] = ()) -> None:
        self._settings = tuple(settings)

    @classmethod
    def read(cls, path: Path) -> SshConfig:
        """Reads a file; a missing one is empty. Raises UsageError with file and line."""
        try:
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
        return cls(_settings(text, str(path)))

    def lookup(self, name: str, arguments: tuple[str, ...] = ()) -> HostSettings:
        """What holds for this host; raises UsageError for a keyword that would lead elsewhere and is not honoured.

        `arguments` are words of ssh's command line, which count before the file.
        """
        found: dict[str, tuple[str, ...]] = {}
        identities: list[str] = []
        for setting in (*(typed(arguments, f"ssh arguments of {name}") if arguments else ()), *self._settings):
            if not setting.applies(name) or setting.keyword in HARMLESS:
                continue
            _check_honoured(setting, name)
            if setting.keyword == "identityfile":
                identities += setting.words
            elif setting.words:
                found.setdefault(setting.keyword, setting.words)
        return _host_settings(name, found, identities)


def typed(arguments: tuple[str, ...], where: str) -> Iterator[Directive]:
    """What words of ssh's command line say, as lines of its configuration; UsageError for those not understood."""
    words = iter(arguments)
    for word in words:
        letter = word[1:2]
        if not word.startswith("-") or (letter not in LETTERS and letter not in FLAGS):
            hint = "known here: -o OPTION=VALUE, -J, -l, -p, -i; -F is --ssh-config"
            raise UsageError(f"{word} is not supported", where=where, hint=hint)
        if letter in LETTERS:
            value = word[2:] or next(words, "")
            keyword = LETTERS[letter]
            line = value if letter == "o" else f"{keyword} {value}"
            found = _split(line, where)
            dead = found[0] == "userknownhostsfile" and found[1] == ("/dev/null",)
            if not dead:  # whoever wants no key remembered: keys are checked here, by the usual files
                yield Directive(*found, ("*",), uncertain=False, where=where)


def _settings(text: str, file: str) -> Iterable[Directive]:
    hosts: tuple[str, ...] = ("*",)
    uncertain = False
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        where = f"{file}:{number}"
        keyword, words = _split(stripped, where)
        if keyword == "host":
            hosts, uncertain = words, False
        elif keyword == "match":
            hosts, uncertain = ("*",), True
        else:
            yield Directive(keyword, words, hosts, uncertain, where)


def _split(line: str, where: str) -> tuple[str, tuple[str, ...]]:
    found = _LINE.fullmatch(line)
    try:
        words = shlex.split(found[2]) if found else []
    except ValueError as error:
        raise UsageError(f"not understood: {error}", where=where) from error
    if not found:
        raise UsageError("not understood: a keyword needs a value", where=where)
    comment = next((place for place, word in enumerate(words) if word.startswith("#")), len(words))
    return found[1].lower(), tuple(words[:comment])


def _check_honoured(setting: Directive, name: str) -> None:
    if setting.uncertain:
        raise UsageError(
            f"{setting.keyword} stands in a Match block, and whether that holds for {name} is not evaluated here",
            where=setting.where,
            hint="say it in a Host block, or use another file with --ssh-config",
        )
    if setting.keyword not in HONOURED:
        raise UsageError(
            f"{setting.keyword} applies to {name} and is not supported",
            where=setting.where,
            hint="use another file with --ssh-config (an empty one is fine: --ssh-config /dev/null)",
        )


def _host_settings(name: str, found: dict[str, tuple[str, ...]], identities: list[str]) -> HostSettings:
    def first(keyword: str) -> str:
        return found.get(keyword, ("",))[0]

    host_name = first("hostname").replace("%h", name).replace("%%", "%")
    port = first("port")
    jump = first("proxyjump")
    tokens = {"h": host_name or name, "n": name, "p": port or "22", "r": first("user") or this_user(), "u": this_user()}
    return HostSettings(
        host_name=host_name,
        user=first("user"),
        port=int(port) if port.isdecimal() else 0,
        identity_files=tuple(_path(word, tokens) for word in identities if word.lower() != "none"),
        known_hosts=tuple(
            _path(word, tokens) for word in found.get("userknownhostsfile", ()) if word.lower() != "none"
        ),
        proxy_jump="" if jump.lower() == "none" else jump,
        identities_only=first("identitiesonly").lower() == "yes",
    )


def _path(word: str, tokens: dict[str, str]) -> str:
    home = str(Path.home())
    known = {**tokens, "d": home, "%": "%"}
    expanded = re.sub(r"%(.)", lambda found: known.get(found[1], found[0]), word)
    return os.path.expanduser(expanded)  # noqa: PTH111 - Path() would fold "./" and "//" in what people wrote
