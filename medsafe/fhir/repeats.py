"""Alerts already seen: what a clinician was told when choosing a medicine need not be told again when signing it.

The rule of the PDDI-CDS guide, and only where the EHR asks for it: never for another clinician, patient or encounter, never
at selection, never where a suggestion was taken and nothing was selected since, and never for what is contraindicated.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from medsafe.fhir.shape import Json, local_id, mapping, words
from medsafe.model.findings import Finding
from medsafe.model.statements import Severity

NAMES = ("pddi-configuration-items", "configuration-items")
REMEMBERED, SECONDS = 20_000, 3600.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What the EHR asked for in the extension of its call."""

    remember: bool = False
    leave_out: bool = False


def asked_for(call: Json) -> Asked:
    """The options of a call, under either of the names in use.

    >>> asked_for({"extension": {"pddi-configuration-items": {"filter-out-repeated-alerts": True}}})
    Asked(remember=False, leave_out=True)
    """
    extension = mapping(call.get("extension"))
    found = [mapping(extension.get(name)) for name in NAMES]
    return Asked(
        any(options.get("cache-for-order-sign-filtering") is True for options in found),
        any(options.get("filter-out-repeated-alerts") is True for options in found),
    )


def whose(call: Json) -> tuple[str, str, str] | None:
    """(clinician, patient, encounter) of a call; None where clinician or patient is not named."""
    context = mapping(call.get("context"))
    clinician = words(context.get("userId")) or words(call.get("userId")) or words(call.get("user"))
    patient = local_id(words(context.get("patientId")) or words(call.get("patient")))
    return (clinician, patient, local_id(words(context.get("encounterId")))) if clinician and patient else None


def key_of(who: tuple[str, str, str], finding: Finding) -> str:
    """A name for one alert to one clinician that tells nothing of the patient."""
    parts = (*who, finding.rule, finding.hazard, finding.severity.label, *sorted(finding.drugs))
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()


class AlertMemory(Protocol):
    """Where seen alerts are kept. `now` is in seconds of a clock that only goes forward."""

    def remember(self, key: str, card: str, now: float) -> None:
        """Note that an alert was shown, as which card."""

    def knows(self, key: str, now: float) -> bool:
        """Whether the alert was shown and nothing came of it yet."""

    def forget(self, card: str) -> None:
        """A suggestion of this card was taken: it may be shown again."""


class ProcessMemory:
    """Seen alerts of this process: another worker does not know them and shows the alert, which does no harm."""

    def __init__(self, most: int = REMEMBERED, seconds: float = SECONDS) -> None:
        self._most, self._seconds, self._lock = most, seconds, Lock()
        self._shown: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def remember(self, key: str, card: str, now: float) -> None:
        with self._lock:
            self._shown[key] = (now, card)
            self._shown.move_to_end(key)
            if len(self._shown) > self._most:
                self._shown.popitem(last=False)

    def knows(self, key: str, now: float) -> bool:
        with self._lock:
            shown = self._shown.get(key)
        return shown is not None and now - shown[0] <= self._seconds

    def forget(self, card: str) -> None:
        with self._lock:
            for key in [key for key, (_, shown) in self._shown.items() if shown == card]:
                del self._shown[key]


def repeated(memory: AlertMemory, call: Json, findings: Iterable[Finding], now: float) -> tuple[Finding, ...]:
    """The findings that this clinician was already told of, where the EHR asks not to repeat them."""
    who = whose(call)
    if who is None or not asked_for(call).leave_out:
        return ()
    told = [f for f in findings if f.severity < Severity.CRITICAL]
    return tuple(f for f in told if memory.knows(key_of(who, f), now))


def note(memory: AlertMemory, call: Json, shown: Iterable[tuple[Finding, str]], now: float) -> None:
    """Remember the findings that were shown, each with its card, where the EHR asks for it."""
    who = whose(call)
    if who is not None and asked_for(call).remember:
        for finding, card in shown:
            memory.remember(key_of(who, finding), card, now)
