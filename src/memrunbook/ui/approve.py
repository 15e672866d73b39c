"""Who answers at the gates: a person at the terminal, or the consent that the command line gave beforehand."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from memrunbook.core.action.action import Risk
from memrunbook.core.errors import Interrupted
from memrunbook.core.instant import Instant
from memrunbook.core.plan.consents import Consents
from memrunbook.core.run.request import Approval, AskApproval, GateAnswer
from memrunbook.runtime.ports import Approver
from memrunbook.ui.block import BLANK, Span, line
from memrunbook.ui.gate import KEYS as ANSWERS
from memrunbook.ui.gate import ask_line, details_view, gate_view, names_to_type, shown_name, why_named
from memrunbook.ui.screen import Screen
from memrunbook.ui.together import ALL, Together

Now = Callable[[], Instant]
KEYS: Mapping[str, GateAnswer] = {"s": "skip", "q": "quit", "Q": "quit-all", "n": "no", "N": "no", "no": "no", "": "no"}
YES = ("y", "yes")
ATTEMPTS = 3
AGAIN = "--allow again:"
DECLINED: Mapping[str, str] = {"skip": "skipped at the gate", "no": "declined at the gate"}
STOPPED = "stopped at the gate"
NO_ANSWER = "stdin was closed"
UNCLEAR = "no clear answer"
BY_A_PERSON = (*DECLINED.values(), STOPPED, NO_ANSWER, UNCLEAR)
"""How a refusal begins that somebody at the keyboard gave."""
AT_A_TERMINAL = "a person at a terminal may still allow it"
"""How a refusal ends that no consent given beforehand could have spared."""
OFFERED = "taking it back may cost more than it did, and nobody can be asked here"


@dataclass(frozen=True)
class TerminalApprover:
    """A person at the terminal.

    `read` returns the next line typed, with its end, and "" where there is no more input; `hosts` are all hosts of the
    run, in order; `about` says of a host what its role and peers are. `together` knows what one answer may cover.
    """

    screen: Screen
    read: Callable[[], str]
    clock: Now
    who: str
    hosts: tuple[str, ...]
    about: Mapping[str, str] = field(default_factory=dict)
    together: Together = field(default_factory=Together)

    def approve(self, host: str, question: AskApproval) -> Approval:
        """What was said for this host at another one's gate, else the answer to its own."""
        return self.covered(host, question) or self.asked(host, question)

    def covered(self, host: str, question: AskApproval) -> Approval | None:
        """A person's yes at another host's gate, where this host was named; None where this one is asked itself."""
        said = self.together.covers(host, question)
        return Approval(self.clock(), "yes", question.step.digest, self.who, "terminal", said) if said else None

    def asked(self, host: str, question: AskApproval) -> Approval:
        """Shows the change and asks; Enter alone is no, so is the end of the input. Interrupted on Ctrl-C."""
        others, about = self.together.others(host, question), self.about.get(host, "")
        self.screen.say(gate_view(host, question, self.clock(), self._position(host), about, others=others))
        try:
            answer, why = self._answers(host, question)
        except KeyboardInterrupt:
            if len(self.hosts) > 1:  # others have something to say, and not behind the question
                self.screen.say([BLANK])
            raise Interrupted("interrupted at the gate", hint="nothing of this step was done") from None
        again = question.again if answer == "yes" else ""
        return Approval(self.clock(), answer, question.step.digest, self.who, "terminal", why, again)

    def _position(self, host: str) -> str:
        several = len(self.hosts) > 1 and host in self.hosts
        return f"host {self.hosts.index(host) + 1} of {len(self.hosts)}" if several else ""

    def _answers(self, host: str, question: AskApproval) -> tuple[GateAnswer, str]:
        first, *more = names_to_type(host, question, len(self.hosts))
        answer, why = self._answer(host, question, first)
        for name in more if answer == "yes" else ():
            self.screen.say([line(f"It is one host of {len(self.hosts)}, and {why_named(question)}: say which.")])
            answer, why = self._answer(host, question, name)
        return answer, why

    def _answer(self, host: str, question: AskApproval, wanted: str) -> tuple[GateAnswer, str]:
        """Asks until the answer is clear; `wanted` is the name to type, empty for y/N."""
        left = ATTEMPTS
        while left:
            typed = self._typed(host, question, wanted)
            if typed is None:
                return "no", NO_ANSWER
            if typed == "d":
                self.screen.say(details_view(question))
                continue
            if typed == ALL and (said := self.together.given(host, question)):
                return "yes", said
            if typed in KEYS:
                return KEYS[typed], _declined(KEYS[typed])
            if typed == wanted or (not wanted and typed.lower() in YES):
                return "yes", ""
            left -= 1
            short = bool(wanted) and typed.lower() in YES
            said = f"A y is not enough: {why_named(question)}." if short else "That is no answer to this question."
            self.screen.say([line(Span(said, "warning"), f" These are: {wanted or 'y, n'}, {ANSWERS}.")])
        return "no", f"{UNCLEAR} in {ATTEMPTS} attempts"

    def _typed(self, host: str, question: AskApproval, wanted: str) -> str | None:
        choice = f"y/N/{ALL}" if self.together.others(host, question) else "y/N"
        self.screen.ask([line(*ask_line(host, question, f"Type {wanted} to go on" if wanted else choice))])
        typed = self.read()
        return typed.strip() if typed else None


@dataclass(frozen=True)
class UnattendedApprover:
    """Consent given beforehand: `yes` for low risk, `allow` ("ACTION" or "ACTION:TARGET") for what it names."""

    yes: bool
    allow: Collection[str]
    clock: Now
    who: str

    def approve(self, host: str, question: AskApproval) -> Approval:  # noqa: ARG002  the port's signature
        """Yes where consent covers exactly this; else no, saying which option would allow it."""
        change = question.step.change
        how, why = "none", "there is nothing to allow"
        if change is not None and question.offered:
            why = OFFERED
        elif change is not None:
            named = f"{change.action}:{change.target}"
            how = self._consent(change.action, named, change.risk, question.again)
            if isinstance(self.allow, Consents):
                self.allow.use(how.removeprefix("--allow "))
            why = "" if how != "none" else _needed(named, change.risk, question)
            if question.limits and not why:
                how, why = "none", f"{question.limits[0]}; {AT_A_TERMINAL}"
        again = question.again if not why else ""
        return Approval(self.clock(), "no" if why else "yes", question.step.digest, self.who, how, why, again)

    def _consent(self, action: str, named: str, risk: Risk, again: str) -> str:
        if f"again:{named}" in self.allow:
            return f"--allow again:{named}"
        if again:  # no other consent was given knowing of that
            return "none"
        if named in self.allow:
            return f"--allow {named}"
        if action in self.allow and risk <= Risk.MEDIUM:
            return f"--allow {action}"
        return "--yes" if self.yes and risk <= Risk.LOW else "none"


@dataclass(frozen=True)
class ConsentThenAsk:
    """What the command line allowed is not asked again; everything else is."""

    consent: UnattendedApprover
    terminal: Approver

    def approve(self, host: str, question: AskApproval) -> Approval:
        """The consent's yes, else the person's answer."""
        given = self.consent.approve(host, question)
        return given if given.answer == "yes" else self.terminal.approve(host, question)


def _needed(named: str, risk: Risk, question: AskApproval) -> str:
    """Which option would allow it."""
    if question.again:
        runs = ", ".join(dict.fromkeys(look.run for look in question.looks if not look.settled))
        option = f"--allow {shlex.quote(shown_name(question.again))}"
        return f"run {runs} began it, and how that ended is unknown; look at the host, then repeat it with {option}"
    option = f"--allow {shlex.quote(shown_name(named))}"
    option = f"--yes or {option}" if risk <= Risk.LOW else option
    return f"nobody can be asked here, and risk {risk.word} needs {option}"


def _declined(answer: GateAnswer) -> str:
    return DECLINED.get(answer, STOPPED)
