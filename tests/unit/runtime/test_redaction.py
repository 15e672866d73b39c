"""What looks like a secret is hidden, and the short way past texts without one hides exactly as much."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memrunbook.runtime.redaction import HIDDEN, RULES, may_hold_secret, named_secret, redact, redacted
from memrunbook.runtime.secrets_told import told

WORDS = [
    "password",
    "PassWd",
    "passphrase",
    "SECRET",
    "tokens",
    "api_key",
    "API-KEY",
    "apikey",
    "key",
    "Kelvin",
    "pass",
    "private key-----",
    "authorization",
    "cookie",
    "Bearer abcdefghi",
    "x://u:p@h",
    "credentials",
    "DB_PASS=x",
    "mysql -px",
    "sshpass -p x",
    "-p hunter2PW",
    "-u ada:x",
]
SIGNS = ["=", ": ", " ", "\n", "--", "-", "x", "\u017f", "\u0131", "\u0130", "\u212a", "\u00df", '"']
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----"


def every_rule(text: str) -> str:
    for rule in RULES:
        text = rule.pattern.sub(rule.instead, text)
    return text


@pytest.fixture
def forgetting() -> Iterator[None]:
    yield
    told.forget()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--password=hunter2 -v", f"--password={HIDDEN} -v"),
        ("--password hunter -v", f"--password {HIDDEN} -v"),
        ("-api-key abc -v", f"-api-key {HIDDEN} -v"),
        ("the password hunter2 is", f"the password {HIDDEN} is"),
        ('password: "two words" -v', f"password: {HIDDEN} -v"),
        ('{"password":"x y","level":1}', f'{{"password":{HIDDEN},"level":1}}'),
        ("API_KEY: abc", f"API_KEY: {HIDDEN}"),
        ("pa\u017fsword=x", f"pa\u017fsword={HIDDEN}"),
        ("to\u212aen=x", f"to\u212aen={HIDDEN}"),
        ("ap\u0131key=x", f"ap\u0131key={HIDDEN}"),
        ("ap\u0130-key=x", f"ap\u0130-key={HIDDEN}"),
        ("postgres://app:hunter2@db/shop", f"postgres://app:{HIDDEN}@db/shop"),
        ("redis://:hunter2@cache", f"redis://:{HIDDEN}@cache"),
        ("Authorization: Basic dXNlcjpwdw==", f"Authorization: {HIDDEN}"),
        ("curl -H 'Cookie: id=5' x", f"curl -H 'Cookie: {HIDDEN}' x"),
        ("sent bearer abc.def-ghi", f"sent bearer {HIDDEN}"),
        ("id AKIAIOSFODNN7EXAMPLE.", f"id {HIDDEN}."),
        (f"ghp_{'a1' * 18} x", f"{HIDDEN} x"),
        (f"github_pat_{'a1' * 18}", HIDDEN),
        ("glpat-abcdefghij0123456789", HIDDEN),
        ("xoxb-123456789-abcdef", HIDDEN),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.sig", HIDDEN),
        (f"before\n{PEM}\nafter", f"before\n{HIDDEN}\nafter"),
        (PEM.partition("\n---")[0], HIDDEN),
        ("AWS_SECRET_ACCESS_KEY=abc/def x", f"AWS_SECRET_ACCESS_KEY={HIDDEN} x"),
        ("ENCRYPTION_KEY=abc", f"ENCRYPTION_KEY={HIDDEN}"),
        ("DB_PASS='a b' c", f"DB_PASS={HIDDEN} c"),
        ("mysql -uroot -phunter2 db", f"mysql -uroot -p{HIDDEN} db"),
        ("sshpass -p hunter2 ssh web", f"sshpass -p {HIDDEN} ssh web"),
        ("tool -p hunter2PW x", f"tool -p {HIDDEN} x"),
        ("curl -u ada:hunter2 http://x", f"curl -u ada:{HIDDEN} http://x"),
    ],
)
def test_a_secret_is_hidden_in_a_text_and_once_is_enough(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected
    assert may_hold_secret(text)
    assert may_hold_secret(msgspec.json.encode({"said": text}).decode())


@pytest.mark.parametrize(
    "text",
    [
        "systemd-ask-password --wait",
        "keyboard-setup.service = active",
        "http://a.b:8080/c?x=1",
        "mkdir -p /a/b1",
        "ssh -p 2222 web",
        "run x -p level=3",
        "systemctl show -p MainPID",
        "docker run -u 1000:1000 x",
        "monkey=5",
        "sudo on web wants a password: 1 fact was not read; allow ada `sudo -n sh -s` (NOPASSWD in sudoers)",
        "a secret of fewer than 4 characters cannot be hidden",
        "systemctl --no-ask-password stop -- web",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert redact(text) == text


@given(st.lists(st.sampled_from(WORDS + SIGNS)).map("".join) | st.text())
@example("pa\u00df" + "word=x")
def test_the_short_way_hides_as_much_as_the_long_one(text: str) -> None:
    assert redact(text) == every_rule(text)
    if redact(text) != text:
        assert may_hold_secret(text)
        assert may_hold_secret(msgspec.json.encode([text]).decode())


def test_in_a_list_the_word_behind_an_option_is_hidden() -> None:
    assert redacted(["--token", "abc", "-v", 3, None]) == ["--token", HIDDEN, "-v", 3, None]
    assert redacted({"argv": ("--no-ask-password", "web"), "n": 1}) == {"argv": ["--no-ask-password", "web"], "n": 1}
    assert redacted(["token", "abc"]) == ["token", "abc"]
    assert redacted(["--secret", "--verbose"]) == ["--secret", "--verbose"]
    assert redacted(["/usr/bin/mysqldump", "-uroot", "-phunter2"]) == ["/usr/bin/mysqldump", "-uroot", f"-p{HIDDEN}"]
    assert redacted(["tool", "-p", "hunter2PW"]) == ["tool", "-p", HIDDEN]
    assert redacted(["ssh", "-p", "2222"]) == ["ssh", "-p", "2222"]
    assert redacted(["curl", "-u", "ada:hunter2"]) == ["curl", "-u", f"ada:{HIDDEN}"]
    assert redacted(["docker", "-u", "1000:1000"]) == ["docker", "-u", "1000:1000"]


def test_a_value_under_the_name_of_a_secret_is_hidden() -> None:
    assert redacted({"db_password": "x", "secret": True, "token": ""}) == {
        "db_password": HIDDEN,
        "secret": True,
        "token": "",
    }
    assert named_secret("API-KEY")
    assert not named_secret("level")


@pytest.mark.parametrize(
    "told_value", ["hunter2", "it's", 'say "x" \\ y', "a b/c?d", "line-one-is-long\nline-two-is-long"]
)
@pytest.mark.usefixtures("forgetting")
def test_what_was_said_to_be_secret_is_hidden_however_it_is_written(told_value: str) -> None:
    import shlex
    from urllib.parse import quote

    told.add(told_value)
    for form in (told_value, shlex.quote(told_value), msgspec.json.encode(told_value).decode(), quote(told_value, "")):
        assert told_value not in redact(f"x{form}y")
        assert form not in redact(f"x {form} y").replace('"[redacted]"', "[redacted]")
        assert may_hold_secret(f"x{form}y")
    for line in told_value.splitlines():
        assert line not in redact(f"x {line} y")
    assert redacted([told_value, {"n": told_value}]) == [HIDDEN, {"n": HIDDEN}]


@pytest.mark.usefixtures("forgetting")
def test_a_secret_that_is_too_short_to_hide_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 4 characters cannot be hidden"):
        told.add("abc")
    assert redact("abc") == "abc"


@pytest.mark.parametrize("weak", ["admin", "swap", "1234", "Sesame"])
@pytest.mark.usefixtures("forgetting")
def test_a_short_word_is_hidden_where_it_stands_alone(weak: str) -> None:
    told.add(weak)
    for text in (f"login {weak}.", f"--with={weak}", f'"{weak}"', f"({weak},"):
        assert weak not in redact(text)
    for text in (f"{weak}9 pages", f"re{weak}", f"{weak}.service", f"x-{weak}", f"{weak}-out", f"a.{weak}"):
        assert redact(text) == text
    assert redacted([weak, "mem"]) == [HIDDEN, "mem"]


@pytest.mark.parametrize("word", ["done", "Execute", "not_needed", "run-finished", "idempotent", "error"])
@pytest.mark.usefixtures("forgetting")
def test_a_word_of_the_journal_cannot_be_a_secret(word: str) -> None:
    with pytest.raises(ValueError, match="is a word of the journal"):
        told.add(word)
    assert redact(word) == word


@pytest.mark.parametrize(
    "piece",
    ["token", "token ", "key ", "://", "://a:b", "eyJ-", "-p ", "mysql ", "-u ", "-----BEGIN PRIVATE KEY-----",
     'token="', "AKEY", "authorization", "password: hunter2 ", "sshpass -p", "--user", "\t\n"],
)  # fmt: skip
def test_no_megabyte_is_too_much(piece: str) -> None:
    text = piece * (500_000 // len(piece))
    assert len(redact(text)) > 0  # a pattern that runs back over what it has read would not come to this line
    may_hold_secret(text)


FIRST_USE = """
import sys, threading
from memrunbook import catalog
from memrunbook.core.host import HostIdentity
from memrunbook.core.instant import Instant
from memrunbook.core.reading.snapshot import Snapshot
from memrunbook.core.run.record import Answered
from memrunbook.facts.processes import Process, Processes
from memrunbook.runtime.redaction import without_secrets

kinds = {name: fact.reading for name, fact in catalog.facts().items()}
one = Process(pid=1, name="password=hunter2", parent=0, threads=1, rss_bytes=1, anonymous_bytes=1, start_ticks=1,
              age_seconds=1.0)
read = {"processes": Processes(seen=1, shown=1, all=[one])}
answered = Answered(Snapshot("web1", HostIdentity(), Instant(0.0, 0.0), read))
ready, found = threading.Barrier(6), []

def work():
    ready.wait()
    found.append(without_secrets(answered, kinds).answer.readings["processes"].all[0].name)

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == ["password=[redacted]"] * 6, found
"""


@pytest.mark.parametrize("time", range(5))
def test_several_hosts_whose_answers_hold_secrets_do_not_end_the_process(time: int) -> None:
    """The first use of a type by two threads at once is a segmentation fault of msgspec."""
    done = subprocess.run([sys.executable, "-c", FIRST_USE], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{time}: {done.returncode} {done.stderr[-500:]}"
