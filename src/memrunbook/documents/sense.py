"""Lints a runbook for sense, not only for form: what is allowed but seldom meant, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from memrunbook.core.action.action import Repeat
from memrunbook.core.errors import Problem
from memrunbook.core.runbook.bound import Runbook, Step
from memrunbook.core.runbook.condition import Condition

ORDERS = frozenset({
    "add", "check", "clean", "clear", "compact", "cure", "detect", "diagnose", "drop", "ensure", "find", "fix", "free",
    "handle", "kill", "lower", "make", "mend", "prevent", "raise", "reclaim", "reduce", "remedy", "remove", "repair",
    "restart", "set", "stop", "tune", "watch",
})  # fmt: skip
"""Verbs with which titles begin that say what is done, not what is wrong."""
DETERMINERS = frozenset({"a", "all", "an", "any", "each", "every", "its", "no", "some", "that", "the", "these", "this"})
PREPOSITIONS = frozenset({"about", "at", "by", "for", "from", "in", "into", "of", "on", "to", "with"})
LEADS = (
    DETERMINERS
    | PREPOSITIONS
    | {"after", "almost", "before", "half", "nearly", "not", "out", "over", "under", "without"}
)
"""Behind them a determiner stands in what is no order: "half the swap", "out of the"; behind a verb it does in one."""
ASKING = frozenset({"how", "please", "what", "when", "where", "which", "who", "why", "i", "we", "you"})
LONGEST_TITLE = 60
"""Characters: of a verdict the title is the first part, and the figures are the second."""
Rule = Callable[[Runbook, Step], str]


def warnings(runbook: Runbook) -> list[Problem]:
    """Every doubt about a runbook that binds; none of them keeps it from running."""
    found = [
        Problem(f"{runbook.name}: step {step.spec.id}", text)
        for step in runbook.steps
        for text in _doubts(runbook, step)
    ]
    return [Problem(runbook.name, text) for text in _about(runbook)] + found


def _about(runbook: Runbook) -> Iterator[str]:
    if why := _title(runbook.spec.title):
        said = f"CRITICAL: {_in_a_sentence(runbook.spec.title)} on db7: …"
        yield f"the title {why}: it is read in sentences, as in: {said}"
    if runbook.resolved is None and "oom" in runbook.incident.facts | {f for c in runbook.checks for f in c.when.facts}:
        yield "the incident rests on past events, which do not un-happen: state when it is `resolved`"
    for check in runbook.checks:
        if _on_pressure_alone(check.when):
            yield f"check {check.spec.id} rests on pressure alone, which whole distributions ship switched off"


def _title(title: str) -> str:
    """Why a title makes a bad sentence; empty for one that names what is wrong, as a noun or a whole statement does."""
    words = title.lower().split()
    if not words:
        return "is empty"
    last = words[-1]
    found = {
        "has a line break, or blanks that nobody sees": title != " ".join(title.split()),
        f"ends in {title[-1]!r}": title[-1] in ".!?:;,",
        "has a : or ; inside": ": " in title or "; " in title,
        f"has more than {LONGEST_TITLE} characters": len(title) > LONGEST_TITLE,
        "speaks to the reader, and is to name what is wrong": words[0] in ASKING,
        f"ends in {last!r}, and goes on with the name of a host": last in PREPOSITIONS | DETERMINERS,
        "reads like an order, and is to name what is wrong": _is_order(words),
    }
    return next((why for why, is_so in found.items() if is_so), "")


def _is_order(words: Sequence[str]) -> bool:
    """True where the first word is surely a verb: a known one, or one with its object behind it, "purge the …"."""
    return words[0] in ORDERS or (len(words) > 1 and words[1] in DETERMINERS and words[0] not in LEADS)


def _in_a_sentence(title: str) -> str:
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _doubts(runbook: Runbook, step: Step) -> Iterator[str]:
    for rule in RULES:
        text = rule(runbook, step)
        if text:
            yield text


def _conditions(step: Step) -> str:
    parts = [step.when] if step.when else []
    parts += [guard.that for guard in step.guards]
    return " ".join([part.source for part in parts] + ([step.for_each.source] if step.for_each else []))


def _drop_without_shortage(_: Runbook, step: Step) -> str:
    said = _conditions(step)
    if step.spec.action != "drop_caches" or any(word in said for word in ("memory.", "allocstalls", "checks.")):
        return ""
    return "drop_caches without a condition on memory: a full page cache is healthy"


def _compact_for_shortage(_: Runbook, step: Step) -> str:
    said = _conditions(step) + (step.verify.that.source if step.verify else "")
    if step.spec.action == "compact_memory" and "memory.available" in said and "buddy." not in said:
        return "compact_memory frees nothing: it cures fragmentation, not low memory"
    return ""


def _restart_without_evidence(_: Runbook, step: Step) -> str:
    if step.spec.action == "restart_unit" and step.for_each is None and step.when is None:
        return "restart_unit without evidence: add a `when`, or choose the unit by units.suspects"
    return ""


def _idle_verify(_: Runbook, step: Step) -> str:
    if step.verify is None or step.action.repeat is Repeat.READ or step.verify.that.facts:
        return ""
    return "its verify reads no metric, so it cannot tell whether the step helped"


def _pressure_guard(_: Runbook, step: Step) -> str:
    if any(_on_pressure_alone(guard.that) for guard in step.guards):
        return "a guard rests on pressure alone; give the alternative where pressure.supported is false"
    return ""


def _on_pressure_alone(condition: Condition) -> bool:
    """True where each metric is one of PSI; whether there is PSI may well be asked alone."""
    names = {name for part in condition.parts for name in part.names if not name.startswith("parameters.")}
    return bool(names - {"pressure.supported"}) and all(name.startswith("pressure.") for name in names)


RULES: tuple[Rule, ...] = (
    _drop_without_shortage,
    _compact_for_shortage,
    _restart_without_evidence,
    _idle_verify,
    _pressure_guard,
)
