"""What an inventory's words for ssh's command line say of the way to a host, as lines of a configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator

from memrunbook.core.errors import UsageError

LETTERS = {"J": "ProxyJump", "l": "User", "p": "Port", "i": "IdentityFile", "b": "BindAddress", "B": "BindInterface"}
"""Letters that take a value, and the keyword that each stands for."""
FLAGS = frozenset("ACTXYaqtkNnvxfgKMsy")
"""Letters that change neither where nor as whom we connect."""
FAMILIES = {"4": "AddressFamily inet", "6": "AddressFamily inet6"}
_OF_THE_WAY = """
addressfamily bindaddress bindinterface certificatefile ciphers globalknownhostsfile gssapiauthentication
gssapidelegatecredentials hostbasedauthentication hostkeyalgorithms hostkeyalias hostname identitiesonly identityagent
identityfile kexalgorithms macs pkcs11provider port preferredauthentications proxycommand proxyjump
pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication securitykeyprovider user userknownhostsfile
"""
OF_THE_WAY = frozenset(_OF_THE_WAY.split())
"""Keywords that say where, as whom and with what. All others are left out: a run says itself how it talks to ssh, and
host keys are always checked."""
NOTHING_KEPT = frozenset({"userknownhostsfile", "globalknownhostsfile"})
OPTION = re.compile(r"\s*(\w+)(?:\s*=\s*|\s+)(.+)", re.DOTALL)
KNOWN = "known here: -o OPTION=VALUE, -J, -l, -p, -i; another configuration file is --ssh-config"


def lines_of(arguments: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Lines "Keyword value", the first of a keyword holds; UsageError for words that would lead elsewhere."""
    return tuple(_lines(arguments, where))


def _lines(arguments: tuple[str, ...], where: str) -> Iterator[str]:
    words = iter(arguments)
    for word in words:
        letter = word[1:2]
        if not word.startswith("-") or letter not in {"o", *LETTERS, *FLAGS, *FAMILIES}:
            raise UsageError(f"the inventory has {word} for ssh, which is not supported", where=where, hint=KNOWN)
        if letter in FAMILIES:
            yield FAMILIES[letter]
        elif letter in LETTERS:
            yield f"{LETTERS[letter]} {word[2:] or next(words, '')}"
        elif letter == "o":
            yield from _option(word[2:] or next(words, ""), where)


def _option(text: str, where: str) -> Iterator[str]:
    match = OPTION.fullmatch(text)
    if match is None:
        raise UsageError(f"the inventory has -o {text!r} for ssh, which says nothing", where=where, hint=KNOWN)
    keyword, value = match[1].lower(), match[2].strip()
    if keyword in OF_THE_WAY and not (keyword in NOTHING_KEPT and value == "/dev/null"):
        yield f"{match[1]} {value}"
