"""What an inventory's words for ssh's command line say of the way to a host, as lines of a configuration."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from memrunbook.core.errors import UsageError
from memrunbook.transports.shared.ssh_config import HARMLESS

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
KNOWN = "known here: -F FILE, -o OPTION=VALUE, -J, -l, -p, -i"
KEYWORDS = sorted(OF_THE_WAY | HARMLESS)
LIKE = 0.9
NO_FILE = "none"


def check_arguments(arguments: tuple[str, ...]) -> None:
    """UsageError for words that would lead elsewhere, and for a configuration file that is not there."""
    tuple(_lines(arguments, ""))
    file = config_of(arguments)
    if file not in ("", NO_FILE) and not Path(file).exists():
        hint = f"ssh reads it from the folder where it runs: {Path(file).absolute()}"
        raise UsageError(f"the ssh configuration file {file} of the inventory is not there", hint=hint)


def config_of(arguments: tuple[str, ...]) -> str:
    """The configuration file that ssh shall read instead of the user's and the system's (-F); empty where none is."""
    files = ["".join(option)[2:] for option in _options(arguments) if option[0][:2] == "-F"]
    return files[-1] if files else ""


def without_config(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The words without the configuration file that they name."""
    return tuple(word for option in _options(arguments) if option[0][:2] != "-F" for word in option)


def _options(arguments: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Each letter with its value, in the words in which they were written."""
    words = iter(arguments)
    for word in words:
        takes_value = len(word) == len("-o") and word[1:] in {"F", "o", *LETTERS}
        yield (word, next(words, "")) if takes_value else (word,)


def lines_of(arguments: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Lines "Keyword value", the first of a keyword holds; UsageError for words that would lead elsewhere."""
    return tuple(_lines(arguments, where))


def _lines(arguments: tuple[str, ...], where: str) -> Iterator[str]:
    words = iter(arguments)
    for word in words:
        letter = word[1:2]
        if not word.startswith("-") or letter not in {"F", "o", *LETTERS, *FLAGS, *FAMILIES}:
            raise UsageError(f"the inventory has {word} for ssh, which is not supported", where=where, hint=KNOWN)
        if letter == "F":  # that is read for the host as a whole: config_of
            file = word[2:] or next(words, "")
            if not file:
                raise UsageError("the inventory has -F for ssh without a file", where=where, hint=KNOWN)
        elif letter in FAMILIES:
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
    meant = () if keyword in KEYWORDS else difflib.get_close_matches(keyword, KEYWORDS, n=1, cutoff=LIKE)
    if meant:
        hint = f"did you mean {meant[0]}?"
        raise UsageError(f"the inventory has -o {match[1]} for ssh, which knows no such option", where=where, hint=hint)
    if keyword in OF_THE_WAY and not (keyword in NOTHING_KEPT and value == "/dev/null"):
        yield f"{match[1]} {value}"
