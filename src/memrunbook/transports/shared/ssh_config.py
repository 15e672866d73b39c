"""Reads an OpenSSH client configuration where `ssh -G` cannot be asked; refuses what it cannot honour."""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from memrunbook.core.errors import UsageError
from memrunbook.runtime.named_file import read_named_text
from memrunbook.transports.shared.ssh_settings import DEFAULT_KEYS, NONE, HostSettings, home, settings_of
from memrunbook.transports.shared.this_user import this_user

LISTS = frozenset({
    "ciphers", "macs", "kexalgorithms", "hostkeyalgorithms", "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes",
})  # fmt: skip
"""Lists of algorithms: whole ones are honoured, what is only added (+, ^) asks for nothing; what is taken away (-) from
the client's own list is known to that client alone."""
HONOURED = frozenset({
    "hostname", "user", "port", "identityfile", "identitiesonly", "certificatefile", "identityagent", "proxyjump",
    "userknownhostsfile", "globalknownhostsfile", "hostkeyalias", "bindaddress", "addressfamily", "requiredrsasize",
    "preferredauthentications", "pubkeyauthentication", *LISTS,
})  # fmt: skip
ADDED_UP = frozenset({"identityfile", "certificatefile"})

# These change neither where nor as whom we connect, or we are stricter than they could make us.
_HARMLESS = """
addkeystoagent batchmode canonicaldomains canonicalizefallbacklocal canonicalizemaxdots canonicalizepermittedcnames
casignaturealgorithms
challengeresponseauthentication checkhostip clearallforwardings compression connectionattempts
connecttimeout controlmaster controlpath controlpersist dynamicforward enableescapecommandline escapechar
exitonforwardfailure fingerprinthash forkafterauthentication forwardagent forwardx11 forwardx11timeout
forwardx11trusted gatewayports gssapiauthentication gssapidelegatecredentials
hashknownhosts hostbasedauthentication ignoreunknown ipqos
kbdinteractiveauthentication localcommand localforward loglevel logverbose
nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication
permitlocalcommand rekeylimit remotecommand remoteforward requesttty sendenv serveralivecountmax
serveraliveinterval sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking
syslogfacility tcpkeepalive tunnel updatehostkeys usekeychain verifyhostkeydns visualhostkey xauthlocation
"""
HARMLESS = frozenset(_HARMLESS.split())
HARMLESS_VALUES = {
    "bindinterface": (NONE,), "canonicalizehostname": ("no", "false"), "knownhostscommand": (NONE,),
    "pkcs11provider": (NONE,), "proxycommand": (NONE,), "securitykeyprovider": ("internal",),
}  # fmt: skip
"""With these values, other keywords ask for nothing."""
LARGEST = 16 << 20
"""Bytes of a configuration."""
COMMANDS = frozenset({"proxycommand", "localcommand", "remotecommand", "knownhostscommand"})
"""Their value is the rest of the line, quotes and all."""
USERS = ("known_hosts", "known_hosts2")
SYSTEMS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"

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

    @property
    def harmless(self) -> bool:
        """True when it asks for nothing that concerns us."""
        value = self.words[0].lower() if self.words else ""
        if self.keyword in LISTS:
            return value[:1] in ("+", "^")
        return self.keyword in HARMLESS or value in HARMLESS_VALUES.get(self.keyword, ())


class SshConfig:
    """A configuration that was read. The first value of a keyword wins, as in ssh; only key files add up."""

    def __init__(self, settings: Iterable[Directive] = ()) -> None:
        self._settings = tuple(settings)

    @classmethod
    def read(cls, path: Path) -> SshConfig:
        """Reads a file; a missing one is empty. Raises UsageError with file and line."""
        try:
            text = read_named_text(path, LARGEST, "surrogateescape")
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
        return cls(_settings(text, str(path)))

    def lookup(self, name: str, user: str = "", port: int = 0, lines: tuple[str, ...] = ()) -> HostSettings:
        """What holds for a host and the user and port that were typed; UsageError for what is not honoured here.

        `lines` count before the file.
        """
        found: dict[str, list[str]] = {}
        if user:
            found["user"] = [user]
        if port:
            found["port"] = [str(port)]
        for setting in (*_settings("\n".join(lines), f"ssh's arguments for {name}, line"), *self._settings):
            if setting.applies(name):
                _take(setting, name, found)
        host_name = found.get("hostname", [name])[0]
        found["hostname"] = [host_name.replace("%h", name).replace("%%", "%")]
        found.setdefault("identityfile", [f"~/.ssh/{key}" for key in DEFAULT_KEYS])
        found.setdefault("userknownhostsfile", [" ".join(str(home() / ".ssh" / file) for file in USERS)])
        found.setdefault("globalknownhostsfile", [SYSTEMS])
        try:
            return settings_of(found, name, this_user())
        except ValueError as error:
            raise UsageError(f"ProxyJump of {name}: {error}", where=name) from error


def _take(setting: Directive, name: str, found: dict[str, list[str]]) -> None:
    keyword = setting.keyword
    if keyword == "proxycommand" and setting.harmless:
        found.setdefault("proxyjump", [NONE])  # whichever of the two comes first prevents the other
    if setting.harmless or not setting.words:
        return
    _check_honoured(setting, name)
    if keyword in ADDED_UP:
        found.setdefault(keyword, []).append(setting.words[0])
    else:
        found.setdefault(keyword, [" ".join(setting.words)])


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
    if not found:
        raise UsageError("not understood: a keyword needs a value", where=where)
    keyword, rest = found[1].lower(), found[2]
    if keyword in COMMANDS:
        return keyword, (rest,)
    try:
        words = tuple(shlex.split(_uncommented(rest)))
    except ValueError as error:
        raise UsageError(f"not understood: {error}", where=where) from error
    if keyword == "port" and words and not words[0].isdecimal():
        raise UsageError(f"Port {words[0]!r} is no number", where=where)
    return keyword, words


def _uncommented(text: str) -> str:
    """The text up to a `#` that begins a word; quotes in the comment are none."""
    quote, before = "", " "
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#" and before.isspace():
            return text[:place]
        before = letter
    return text


def _check_honoured(setting: Directive, name: str) -> None:
    if setting.uncertain:
        raise UsageError(
            f"{setting.keyword} stands in a Match block, and whether that holds for {name} is not evaluated here",
            where=setting.where,
            hint="install OpenSSH's client, which is asked then; or say it in a Host block of another --ssh-config",
        )
    if setting.keyword not in HONOURED or (setting.keyword in LISTS and setting.words[0].startswith("-")):
        raise UsageError(
            f"{setting.keyword} applies to {name} and cannot be honoured without OpenSSH's client",
            where=setting.where,
            hint="install it (openssh-client); or use another file with --ssh-config (an empty one is /dev/null)",
        )
