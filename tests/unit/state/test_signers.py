"""allowed_signers and revoked keys, held against what ssh-keygen itself says of the same files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.sshd import MISSING
from tests.unit.state.test_signatures import PLAN, blob, made, signed

from memrunbook.core.errors import DocumentError
from memrunbook.core.instant import Instant
from memrunbook.state.signatures import NAMESPACE, key_of
from memrunbook.state.signers import Signers

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason=MISSING)
NOW = Instant(1_790_000_000.0, 0.0)  # 2026-09-21 12:53:20 UTC
LINES = {
    "plain": ("ada {key}", ""),
    "one of several": ("bob,ada,carol {key} a comment", ""),
    "a pattern": ("a?a {key}", ""),
    "any but her": ("*,!ada {key}", "is \\*,!ada's"),
    "somebody else": ("bob {key}", "is bob's"),
    "quoted": ('"ada" {key}', ""),
    "our purpose": ('ada namespaces="git,memrunbook-*" {key}', ""),
    "another purpose": ('ada namespaces="git" {key}', "may sign for git alone"),
    "valid": ('ada valid-after="20200101Z",valid-before="20400101Z" {key}', ""),
    "not yet": ('ada valid-after="20400101Z" {key}', "not valid yet"),
    "not any more": ('ada valid-before="202001011200Z" {key}', "has expired: 2020-01-01T12:00:00"),
    "local time": ('ada valid-before="20200101120000" {key}', "has expired"),
    "capitals": ('ada NAMESPACES="memrunbook-plan" {key}', ""),
    "an authority": ("ada cert-authority {key}", "cert-authority at .* is not understood"),
    "a comment with a quote": ("ada {key} \"ada's", ""),
    "a windows line": ("ada {key}\r", ""),
    "tabs": ('\tada\tnamespaces="memrunbook-plan"\t{key}', ""),
    "an escaped quote": (r'ada namespaces="\",memrunbook-plan" {key}', ""),
    "another line end in a comment": ("bob {key}\u2028ada {key}", "is bob's"),
    "a bracket is a letter": ("[a]da {key}", "is \\[a\\]da's"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_says_whose_signature_counts(tmp_path: Path, name: str) -> None:
    key, (line, why) = made(tmp_path), LINES[name]
    file = tmp_path / "signers"
    file.write_text("# ours\n\n" + line.format(key=key.with_name(f"{key.name}.pub").read_text().strip()) + "\n")
    fault = Signers.read(file, None).fault(key_of(blob(key)), "ada", NOW)
    if why:
        with pytest.raises(AssertionError, match=why):
            raise AssertionError(fault)
    else:
        assert fault == ""
    (tmp_path / "sig").write_text(signed(key))
    words = ["ssh-keygen", "-Y", "verify", "-f", str(file), "-I", "ada", "-n", NAMESPACE, "-s", str(tmp_path / "sig")]
    theirs = subprocess.run(words, check=False, input=PLAN, capture_output=True).returncode == 0
    assert theirs == (not why)


BROKEN = {
    "ada": "no key in this line",
    "ada ssh-ed25519": "no key in this line",
    "ada ssh-ed25519 AAAA": "the key is damaged",
    "ada ssh-rsa {key}": "of the type 'ssh-ed25519', not 'ssh-rsa'",
    "ada no-such-option ssh-ed25519 {key}": "is no option",
    'ada valid-after="soon" ssh-ed25519 {key}': "'soon' is no time",
    'ada valid-after="20261350" ssh-ed25519 {key}': "'20261350' is no time",
    'ada valid-before="2040120118" ssh-ed25519 {key}': "'2040120118' is no time",
    'ada valid-before="204012011" ssh-ed25519 {key}': "'204012011' is no time",
    'ada valid-before="\u0662\u0660400101" ssh-ed25519 {key}': "is no time",
    'ada namespaces="git",namespaces="memrunbook-plan" ssh-ed25519 {key}': "namespaces is given twice",
    'ada valid-after="20200101",VALID-AFTER="20200102" ssh-ed25519 {key}': "VALID-AFTER is given twice",
    'ada namespaces="memrunbook-plan", ssh-ed25519 {key}': "is no option",
    'ada valid-after="20200102",valid-before="20200102" ssh-ed25519 {key}': "is not later than valid-after",
    '"ada ssh-ed25519 {key}': "a quote has no end",
    'ada namespaces="memrunbook-plan ssh-ed25519 {key}': "a quote has no end",
    "ada\u00a0ssh-ed25519 {key}": "is no option",
    "ada\x0bssh-ed25519 {key}": "is no option",
}


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    key = made(tmp_path)
    file = tmp_path / "signers"
    file.write_text("# ours\n" + line.format(key=key.with_name(f"{key.name}.pub").read_text().split()[1]) + "\n")
    with pytest.raises(DocumentError) as caught:
        Signers.read(file, None)
    [problem] = caught.value.problems
    assert problem.where == f"{file}:2"
    assert BROKEN[line] in problem.message
    (tmp_path / "sig").write_text(signed(key))
    words = ["ssh-keygen", "-Y", "verify", "-f", str(file), "-I", "ada", "-n", NAMESPACE, "-s", str(tmp_path / "sig")]
    assert subprocess.run(words, check=False, input=PLAN, capture_output=True).returncode != 0, "ssh-keygen takes it"


def test_a_revoked_key_counts_no_more(tmp_path: Path) -> None:
    key = made(tmp_path)
    public = key.with_name(f"{key.name}.pub").read_text()
    (tmp_path / "signers").write_text(f"ada {public}")
    (tmp_path / "revoked").write_text(f"# gone\n\n{public}")
    signers = Signers.read(tmp_path / "signers", tmp_path / "revoked")
    assert "is revoked" in signers.fault(key_of(blob(key)), "ada", NOW)
    assert signers.principals(key_of(blob(key))) == ("ada",)
    (tmp_path / "revoked").write_text("nonsense\n")
    with pytest.raises(DocumentError):
        Signers.read(tmp_path / "signers", tmp_path / "revoked")


def test_a_key_revocation_list_is_refused_by_name(tmp_path: Path) -> None:
    key = made(tmp_path)
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", tmp_path / "krl", f"{key}.pub"], check=True)
    with pytest.raises(DocumentError) as caught:
        Signers.read(None, tmp_path / "krl")
    assert "KRL" in caught.value.problems[0].message


def test_a_key_of_nobody_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    key = key_of(blob(made(tmp_path)))
    (tmp_path / "signers").touch()
    signers = Signers.read(tmp_path / "signers", None)
    assert f"{key.fingerprint} is not in {tmp_path / 'signers'}" in signers.fault(key, "ada", NOW)
    assert signers.principals(key) == ()
    with pytest.raises(DocumentError):
        Signers.read(tmp_path / "none", None)
    assert not Signers.read(None, None).named


@pytest.mark.parametrize(
    ("principals", "user", "by"),
    [
        ("bob,Ada@corp", "ada", "Ada@corp"),
        ("bob,*@corp", "ada", "*@corp"),
        ("bob,a?a", "ada", "a?a"),
        ("bob", "ada", ""),
        ("bob,*@corp", "", ""),
        ("bob,!ada", "ada", ""),
    ],
)
def test_by_which_name_a_key_may_be_somebodys(tmp_path: Path, principals: str, user: str, by: str) -> None:
    key = made(tmp_path)
    public = key.with_name(f"{key.name}.pub").read_text()
    (tmp_path / "signers").write_text(f"{principals} {public}")
    assert Signers.read(tmp_path / "signers", None).may_be(key_of(blob(key)), user) == by


def test_of_several_lists_each_must_have_a_key_and_none_may_revoke_it(tmp_path: Path) -> None:
    path = made(tmp_path)
    key, public = key_of(blob(path)), path.with_name(f"{path.name}.pub").read_text()
    texts = {"all": f"ada {public}", "team": f"ada,bob {public}", "none": "", "gone": public}
    files = {name: tmp_path / name for name in texts}
    for name, text in texts.items():
        files[name].write_text(text)
    read = Signers.read_all
    assert read([files["all"], files["team"]], [files["none"]]).fault(key, "ada", NOW) == ""
    assert "is ada's" in read([files["team"], files["all"]], []).fault(key, "bob", NOW)
    for lists in (["all", "none"], ["none", "all"]):
        assert f"is not in {files['none']}" in read([files[name] for name in lists], []).fault(key, "ada", NOW)
    assert "is revoked" in read([files["all"]], [files["none"], files["gone"]]).fault(key, "ada", NOW)
    assert read([files["all"], files["team"]], []).principals(key) == ("ada", "ada", "bob")
    assert not read([], []).named
