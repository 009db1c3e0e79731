"""What a review says: findings, notices, suggestions, and the one order in which they are shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medsafe.model.statements import Severity


@dataclass(frozen=True, slots=True)
class PathStep:
    """One edge of the graph on the way to a finding."""

    start: str
    relation: str
    to: str
    strength: str = ""
    share: str = ""


@dataclass(frozen=True, slots=True)
class Magnitude:
    """How large an effect is, with what the number rests on."""

    measure: str
    value: float
    basis: str
    class_: str = ""


@dataclass(frozen=True, slots=True)
class CitedSource:
    """A source as shown to the reader; `status` tells opened from recalled."""

    id: str
    title: str
    locator: str
    url: str
    status: str

    def __hash__(self) -> int:
        # Sources are gathered without doubles many times in a review; what tells them apart is these two.
        return hash((self.id, self.locator))


@dataclass(frozen=True, slots=True)
class Finding:
    """One hazard of one case, with all its contributors.

    `key` says which findings are about the same hazard and are merged; `exceeds` says that the ordered dose is more than
    a limit or an organ allows; `organ` is the hazard of the organ that a dose limit holds for; `alone` are
    the orders that a serious caution about this patient speaks against by itself, whatever else joined the finding.
    """

    kind: str
    hazard: str
    severity: Severity
    drugs: tuple[str, ...]
    orders: tuple[str, ...]
    summary: str
    key: tuple[str, ...]
    consequence: str = ""
    mechanism: str = ""
    path: tuple[PathStep, ...] = ()
    magnitude: Magnitude | None = None
    management: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    evidence: str = ""
    sources: tuple[CitedSource, ...] = ()
    rule: str = ""
    absorbs: frozenset[str] = frozenset()
    soften_at_end_of_life: bool = False
    interruptive: bool = False
    new: bool = False
    easiest_to_change: str = ""
    dose_can_fit: bool = False
    exceeds: bool = False
    organ: str = ""
    alone: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """A name that stays the same for the same hazard in the same case."""
        text = "|".join((self.kind, self.hazard, *sorted(self.drugs), *sorted(self.orders), *self.key))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that could not be checked or used, why, and which checks it blocks.

    `orders` are the orders whose checks asked for it; None where it concerns every order, or nobody can tell.
    """

    code: str
    field: str
    message: str
    value: Any = None
    blocks: tuple[str, ...] = ()
    candidates: tuple[Mapping[str, Any], ...] = ()
    limits: bool = True
    orders: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An option that has passed every check in this patient, with what it would add.

    `in_place_of` are the orders that were taken as stopped when it was checked, because they do not suit this patient.
    """

    for_: str
    action: str
    label: str
    rationale: str
    score: float
    drug: str | None = None
    order: Mapping[str, Any] | None = None
    daily_dose: Mapping[str, Any] | None = None
    cautions: tuple[Finding, ...] = ()
    titration: str = ""
    review_after: str = ""
    monitoring: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    evidence: str = ""
    option: str = ""
    sources: tuple[CitedSource, ...] = ()
    breakthrough: Mapping[str, Any] | None = None
    in_place_of: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        text = "|".join((self.for_, self.action, self.drug or "", self.option, self.label))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Excluded:
    """An option that must not be offered to this patient, with every reason."""

    for_: str
    action: str
    drug: str | None
    because: tuple[str, ...]
    sources: tuple[CitedSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """The whole answer to one case."""

    status: str
    complete: bool
    findings: tuple[Finding, ...]
    notices: tuple[Notice, ...]
    organ_function: Mapping[str, Any]
    opioids: Mapping[str, Any]
    suggestions: tuple[Suggestion, ...]
    excluded: tuple[Excluded, ...]
    knowledge: Mapping[str, str]
    tailoring: tuple[str, ...] = field(default_factory=tuple)
    fitting: Mapping[str, Any] = field(default_factory=dict)


def finding_order(finding: Finding) -> tuple[Any, ...]:
    """The one order of findings: worst first, new first, then by name; never by the order of the input."""
    return (-finding.severity, not finding.new, finding.kind, finding.hazard, finding.drugs, finding.key)


def merge_notices(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """One notice per code and field, blocking everything that any of them blocks."""
    groups: dict[tuple[str, str], list[Notice]] = {}
    for notice in notices:
        groups.setdefault((notice.code, notice.field), []).append(notice)
    return tuple(_one_notice(groups[key]) for key in sorted(groups))


def _one_notice(same: list[Notice]) -> Notice:
    """Several notices about the same gap as one: all that they say, with what all of them block."""
    if len(same) == 1:
        return same[0]
    blocks = tuple(sorted({block for notice in same for block in notice.blocks}))
    asking = [notice.orders for notice in same]
    orders = None if None in asking else tuple(sorted({order for listed in asking for order in listed or ()}))
    message = said_once(notice.message for notice in same)
    return replace(same[0], message=message, blocks=blocks, limits=any(n.limits for n in same), orders=orders)


# Sentences that begin with as many words alike say the same of different things.
SAME_BEGINNING = 3


def _shared(sentences: list[list[str]]) -> int:
    """How many words all of them begin with."""
    together = zip(*sentences, strict=False)
    return next((n for n, words in enumerate(together) if len(set(words)) > 1), min(map(len, sentences)))


def _in_one(sentences: list[list[str]]) -> str:
    """Sentences of one beginning as one that names each part in which they differ."""
    first = _shared(sentences)
    last = _shared([words[first:][::-1] for words in sentences])
    if len(sentences) == 1:
        return " ".join(sentences[0])
    parts = [" ".join(words[first : len(words) - last]) for words in sentences]
    between = ", " if last else "; "
    middle = between.join(part.rstrip(".") for part in parts if part) + ("" if last else ".")
    return " ".join((*sentences[0][:first], middle, *sentences[0][len(sentences[0]) - last :]))


def said_once(messages: Iterable[str]) -> str:
    """Sentences that differ in a part are one sentence that names each part.

    >>> said_once(["So the dose of codeine was not checked.", "So the dose of morphine was not checked."])
    'So the dose of codeine, morphine was not checked.'
    >>> said_once(["INR not given: warfarin was not judged.", "INR not given: bleeding was not judged fully."])
    'INR not given: bleeding was not judged fully; warfarin was not judged.'
    """
    alike: dict[tuple[str, ...], list[list[str]]] = {}
    for words in (message.split() for message in sorted(set(messages))):
        alike.setdefault(tuple(words[:SAME_BEGINNING]), []).append(words)
    return " ".join(_in_one(sentences) for sentences in alike.values())
