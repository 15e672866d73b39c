"""Words for ssh's command line in an inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.transports.shared.ssh_arguments import check_arguments, config_of, lines_of, without_config


def lines(*words: str) -> list[str]:
    return list(lines_of(words, "web01"))


def test_letters_and_options_are_lines_of_a_configuration() -> None:
    assert lines("-J", "gate", "-lops", "-p", "2222", "-i", "/own", "-4", "-6") == [
        "ProxyJump gate",
        "User ops",
        "Port 2222",
        "IdentityFile /own",
        "AddressFamily inet",
        "AddressFamily inet6",
    ]
    command = 'ProxyCommand=ssh -W %h:%p -q "gate"'
    assert lines("-o", command, "-oUser=a", "-o", "Port 5") == [
        'ProxyCommand ssh -W %h:%p -q "gate"',
        "User a",
        "Port 5",
    ]


def test_what_says_nothing_of_the_way_or_would_weaken_it_is_left_out() -> None:
    assert lines("-C", "-q", "-o", "ControlMaster=auto", "-o", "ControlPersist=60s", "-o", "BatchMode=no") == []
    assert lines("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-oCheckHostIP=no") == []
    assert lines("-o", "UserKnownHostsFile=/own") == ["UserKnownHostsFile /own"]
    assert lines("-o", "KnownHostsCommand=/bin/anything", "-o", "LocalCommand=x", "-o", "PermitLocalCommand=yes") == []


@pytest.mark.parametrize(
    "words", [("-F",), ("-Q", "x"), ("-W", "h:22"), ("-L", "1:h:1"), ("word",), ("-o", "Port"), ("-o",)]
)
def test_what_would_lead_elsewhere_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="the inventory has") as refused:
        lines(*words)
    assert refused.value.where == "web01"
    assert "-F FILE" in refused.value.hint


def test_an_option_that_ssh_does_not_know_is_told_where_it_is_nearly_one() -> None:
    with pytest.raises(UsageError, match="which knows no such option") as refused:
        lines("-o", "ProxyJumpp=gate")
    assert refused.value.hint == "did you mean proxyjump?"
    assert lines("-o", "SomethingNew=1") == [], "of a newer ssh"


@pytest.mark.parametrize(
    ("words", "file", "rest"),
    [
        (("-F", "/own", "-J", "gate"), "/own", ("-J", "gate")),
        (("-C", "-F/own"), "/own", ("-C",)),
        (("-F", "/a", "-F", "none"), "none", ()),
        (("-o", "-F", "-l", "-Fred"), "", ("-o", "-F", "-l", "-Fred")),
        ((), "", ()),
    ],
)
def test_the_file_that_ssh_shall_read(words: tuple[str, ...], file: str, rest: tuple[str, ...]) -> None:
    assert config_of(words) == file
    assert without_config(words) == rest


def test_words_are_checked_as_they_are_read_and_the_file_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    check_arguments(("-F", str(tmp_path / "config"), "-J", "gate"))
    check_arguments(("-F", "none"))
    assert lines("-F", "/own", "-J", "gate") == ["ProxyJump gate"]
    with pytest.raises(UsageError, match="not supported"):
        check_arguments(("-Q", "x"))
    with pytest.raises(UsageError, match=f"{tmp_path}/none of the inventory is not there"):
        check_arguments((f"-F{tmp_path}/none",))
