"""Words for ssh's command line in an inventory."""

from __future__ import annotations

import pytest

from memrunbook.core.errors import UsageError
from memrunbook.transports.shared.ssh_arguments import lines_of


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


@pytest.mark.parametrize("words", [("-F", "x"), ("-W", "h:22"), ("-L", "1:h:1"), ("word",), ("-o", "Port"), ("-o",)])
def test_what_would_lead_elsewhere_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="the inventory has") as refused:
        lines(*words)
    assert refused.value.where == "web01"
    assert "--ssh-config" in refused.value.hint
