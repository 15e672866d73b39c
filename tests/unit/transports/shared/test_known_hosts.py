"""Known host keys."""

from __future__ import annotations

import base64
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memrunbook.core.errors import HostKeyError, UsageError
from memrunbook.transports.shared.known_hosts import KIND, NOWHERE, HostKey, KnownHosts, _parse, kind_and_bits, pins_of
from memrunbook.transports.shared.ssh_settings import home
from memrunbook.ui.commands import commands_in

ED = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519one")
OTHER = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519two")
RSA = HostKey("ssh-rsa", b"rsa")


def _line(names: str, key: HostKey) -> str:
    return f"{names} {key.kind} {base64.b64encode(key.blob).decode()} comment\n"


def _known(tmp_path: Path, *lines: str) -> KnownHosts:
    path = tmp_path / "known_hosts"
    path.write_text("".join(lines), encoding="ascii")
    return KnownHosts([path, tmp_path / "absent"])


@pytest.mark.parametrize(
    ("names", "name", "found"),
    [
        ("web01", "web01", True),
        ("web01,10.0.0.1", "10.0.0.1", True),
        ("web01", "web010", False),
        ("[web01]:2222", "[web01]:2222", True),
        ("[web01]:2222", "web01", False),
        ("[web*]:2222", "[web01]:2222", True),
        ("web?1,!web11", "web01", True),
        ("web?1,!web11", "web11", False),
    ],
)
def test_names_and_patterns(tmp_path: Path, names: str, name: str, *, found: bool) -> None:
    assert bool(_known(tmp_path, _line(names, ED)).lookup(name)) is found


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed here")
def test_hashed_names_as_openssh_writes_them(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    kind, blob = key.with_suffix(".pub").read_text(encoding="ascii").split()[:2]
    (tmp_path / "known_hosts").write_text(f"web01 {kind} {blob}\n", encoding="ascii")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(tmp_path / "known_hosts")], check=True, capture_output=True)
    known = KnownHosts([tmp_path / "known_hosts"])
    known.verify("web01", HostKey(kind, base64.b64decode(blob)))
    assert not known.lookup("web02")


def test_a_host_may_have_several_keys(tmp_path: Path) -> None:
    known = _known(tmp_path, _line("h", RSA), _line("h", ED))
    known.verify("h", ED)
    known.verify("h", RSA)
    with pytest.raises(HostKeyError, match="CHANGED"):
        known.verify("h", OTHER, accept_new=True)


def test_a_key_of_another_kind_than_the_known_one_is_a_change(tmp_path: Path) -> None:
    with pytest.raises(HostKeyError, match=f"known is ssh-rsa {RSA.fingerprint.split('+')[0]}"):
        _known(tmp_path, _line("h", RSA)).verify("h", ED, accept_new=True)


def test_lines_that_trust_nobody_are_passed_over(tmp_path: Path) -> None:
    known = _known(
        tmp_path,
        "# comment\n",
        "\n",
        "h\n",
        "@cert-authority " + _line("*", ED),
        "h ssh-ed25519 ?\n",
        "|1|a|a a AAAA\n",
    )
    assert known.lookup("h") == []


def test_a_new_key_is_added_once_and_known_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "ssh" / "known_hosts"
    known = KnownHosts([path])
    known.verify("[h]:2222", ED, accept_new=True)
    known.verify("[h]:2222", ED)
    assert path.read_text(encoding="ascii") == _line("[h]:2222", ED).replace(" comment", "")
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_last_line_without_newline_is_not_torn(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(_line("a", RSA).strip(), encoding="ascii")
    known = KnownHosts([path])
    threads = [threading.Thread(target=known.verify, args=(f"h{n}", ED), kwargs={"accept_new": True}) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    again = KnownHosts([path])
    again.verify("a", RSA)
    for number in range(8):
        again.verify(f"h{number}", ED)


def test_a_file_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostKeyError, match="could not be saved"):
        KnownHosts([Path("/proc/none/known_hosts")]).verify("h", ED, accept_new=True)
    with pytest.raises(UsageError, match="cannot be read"):
        KnownHosts([tmp_path])


def test_without_any_file_the_users_own_is_named() -> None:
    with pytest.raises(HostKeyError) as refused:
        KnownHosts([]).verify("h", RSA, scan=f"ssh-keyscan -t {KIND} -p 22 h")
    hint, command = refused.value.hint, f"ssh-keyscan -t rsa -p 22 h >>{home()}/.ssh/known_hosts"
    assert hint.endswith(command), "whoever copies its line takes no words with it"
    assert [hint[start:end] for start, end in commands_in(hint)] == [command]


def test_a_host_to_which_no_scan_leads_and_a_file_that_keeps_nothing() -> None:
    with pytest.raises(HostKeyError) as refused:
        KnownHosts([]).verify("h", RSA)
    assert refused.value.hint.endswith("add --accept-new-host-keys: ssh-keyscan knows no way there")
    with pytest.raises(HostKeyError) as refused:
        KnownHosts([NOWHERE]).verify("h", RSA, scan=f"ssh-keyscan -t {KIND} h")
    assert "--known-hosts FILE" in refused.value.hint
    assert "keyscan" not in refused.value.hint


def test_a_key_that_is_known_for_the_name_alone_is_known_at_any_port(tmp_path: Path) -> None:
    known = _known(tmp_path, _line("h", ED), "@cert-authority " + _line("*.example.com", RSA))
    known.verify("[h]:2222", ED)
    with pytest.raises(HostKeyError, match="is not known"):
        known.verify("[h]:2222", RSA)
    assert [one.key for one in known.authorities("[web.example.com]:2222")] == [RSA]
    own = _known(tmp_path, _line("h", ED), _line("[h]:2222", RSA))
    with pytest.raises(HostKeyError, match="HAS CHANGED"):
        own.verify("[h]:2222", ED)
    gone = _known(tmp_path, _line("h", ED), "@revoked " + _line("h", ED))
    with pytest.raises(HostKeyError, match="revoked"):
        gone.verify("[h]:2222", ED)


def test_a_file_of_the_configuration_that_cannot_be_read_is_passed_over_and_named(tmp_path: Path) -> None:
    (tmp_path / "good").write_text(_line("h", ED), encoding="ascii")
    known = KnownHosts([tmp_path, tmp_path / "good"], named=False)
    known.verify("h", ED)
    with pytest.raises(HostKeyError, match=rf"is not known.*\({tmp_path} cannot be read: Is a directory\)"):
        known.verify("other", ED)


def test_how_long_an_rsa_key_is(tmp_path: Path) -> None:
    words = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", str(tmp_path / "key")]
    subprocess.run(words, check=True)
    assert kind_and_bits(tmp_path / "key") == ("ssh-rsa", 2048)
    assert ED.rsa_bits == 0
    (tmp_path / "torn.pub").write_text("ssh-rsa", encoding="ascii")
    assert kind_and_bits(tmp_path / "torn") == kind_and_bits(tmp_path / "none") == ("", 0)


def test_an_authority_vouches_for_names_and_is_no_key_of_a_host(tmp_path: Path) -> None:
    known = _known(tmp_path, "@cert-authority " + _line("*.example.com,!db*", ED), _line("web.example.com", RSA))
    [authority] = known.authorities("web.example.com")
    assert authority.key == ED
    assert known.authorities("db1.example.com") == []
    assert [line.key for line in known.lookup("web.example.com")] == [RSA]
    with pytest.raises(HostKeyError, match=f"the host CA ssh-ed25519 {ED.fingerprint[:12]}") as refused:
        known.verify("mail.example.com", OTHER)
    assert "keyscan" not in refused.value.hint
    assert "ssh-keygen -s CA -h" in refused.value.hint
    known.verify("web.example.com", RSA)


def test_a_revoked_authority_vouches_for_nobody(tmp_path: Path) -> None:
    known = _known(tmp_path, "@cert-authority h ssh-ed25519 ?\n", "@revoked " + _line("*", ED))
    assert known.authorities("h") == []
    with pytest.raises(HostKeyError, match="revoked"):
        known.verify("h", ED)


@pytest.mark.parametrize(
    ("text", "pins"),
    [
        ("", ()),
        (f"SHA256:{'a' * 43}", (f"SHA256:{'a' * 43}",)),
        (f"{'b' * 43}=", (f"SHA256:{'b' * 43}",)),
        (f"SHA256:{'a' * 43}, {'b' * 43}", (f"SHA256:{'a' * 43}", f"SHA256:{'b' * 43}")),
    ],
)
def test_fingerprints_of_the_inventory(text: str, pins: tuple[str, ...]) -> None:
    assert pins_of(text, "web01") == pins


@pytest.mark.parametrize("text", ["SHA256:short", "MD5:aa:bb", "'; reboot; '", f"{'a' * 43}'"])
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no fingerprint") as refused:
        pins_of(text, "web01")
    assert (refused.value.where, "ssh-keygen -lf" in refused.value.hint) == ("web01", True)


@given(st.text())
def test_any_line_is_survived(line: str) -> None:
    known = _parse(line.split(), "x:1")
    assert known is None or isinstance(known.is_for("h"), bool)
