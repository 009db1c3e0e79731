"""What was not checked, in the words of a prescriber: gaps of the data sent, and notices of the review.

A gap is loud when it limits what can be said of the order at hand; only loud gaps call for a card. Quiet ones are listed
where there is a card anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from medsafe.fhir.markdown import LONGEST_SUMMARY, one_sentence
from medsafe.fhir.observations import LAB_CODES, VITAL_CODES
from medsafe.fhir.prefetch import (
    ALLERGIES,
    CONDITIONS,
    LABORATORY,
    MEDICINES,
    PATIENT,
    PROCEDURES,
    VITALS,
    Prefetch,
    State,
)
from medsafe.fhir.shape import words
from medsafe.model.case import Case, Order
from medsafe.model.findings import Notice
from medsafe.model.vocabulary import shown_name

# In the order in which they matter to the order at hand.
ASKED_FOR = {
    MEDICINES: ("other medicines", "The order was not checked against other medicines"),
    ALLERGIES: ("allergies", "The order was not checked against allergies"),
    LABORATORY: ("laboratory values", "Nothing that depends on laboratory values was checked"),
    CONDITIONS: ("conditions", "The order was not checked against diseases"),
    PATIENT: ("age and sex", "Nothing that depends on age or sex was checked"),
    VITALS: ("vital signs", "Nothing that depends on weight or vital signs was checked"),
}
REASONS = {
    State.ABSENT: "were not supplied by the EHR",
    State.NULL: "were asked for and the EHR sent no data",
    State.FAILED: "could not be fetched by the EHR",
}
DETAILS = frozenset({"dose", "unit", "route", "times_per_day", "drug.strength"})
NO_DRUG = frozenset({"unknown-drug", "ambiguous-drug", "not-covered"})
_PLACE = re.compile(r"^(new_orders|regimen|recently_stopped)\.(\d+)\.(.*)$")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not checked: how much it matters (0 first), a few words, the whole sentence, and whether it is loud.

    `field` is the value of the patient whose lack it is, where a new result would close the gap. `detail` is what is
    missing of one order, which `short` names; `old` marks a value that was used although it may no longer be true.
    """

    rank: int
    short: str
    message: str
    loud: bool
    field: str = ""
    detail: str = ""
    old: bool = False


def data_gaps(prefetch: Prefetch) -> list[Gap]:
    """Kinds of data that were not sent, could not be fetched, or came only in part."""
    found = []
    for rank, (kind, (short, effect)) in enumerate(ASKED_FOR.items(), start=1):
        reason = REASONS.get(prefetch.state(kind))
        if reason:
            found.append(Gap(rank, short, f"{effect}: {short} {reason}.", True))
    for kind, missing in prefetch.partial:
        if kind in ASKED_FOR:
            short = f"{ASKED_FOR[kind][0]} beyond a partial list"
            message = (
                f"Partial list of {ASKED_FOR[kind][0]}: only {missing} entries were sent, the others were not checked."
            )
            found.append(Gap(1, short, message, True))
    return found


def _order_at(case: Case, field: str) -> tuple[str, Order | None, str]:
    """(part of the case, order, what of the order) that a notice's field speaks of."""
    match = _PLACE.match(field)
    if match is None:
        return "", None, field
    listed: tuple[Order, ...] = getattr(case, match[1])
    place = int(match[2])
    return match[1], listed[place] if place < len(listed) else None, match[3]


def _label(order: Order) -> str:
    name = words(order.drug.shown)
    return name if len(name) <= 40 else f"{name[:40].rsplit(' ', 1)[0]}…"


def _of_order(case: Case, notice: Notice, selecting: bool) -> Gap | None:
    part, order, detail = _order_at(case, notice.field)
    if order is None:
        return None
    name = _label(order)
    message = notice.message if name.casefold() in notice.message.casefold() else f"{name}: {notice.message}"
    drafted = part == "new_orders"
    if notice.code in NO_DRUG:
        return Gap(0 if drafted else 2, f"“{name}”", message, notice.limits)
    # At selection details are still to come; those of a standing order say nothing of the draft.
    expected = (detail in DETAILS or detail.endswith(".dosage")) and (selecting if drafted else bool(case.new_orders))
    what = "dosage" if "/" in detail else detail.split(".")[-1].replace("_", " ")
    return Gap(3 if drafted else 6, name, message, notice.limits and not expected, detail=what)


def _concerns(notice: Notice, selected: frozenset[str]) -> bool:
    """Whether a notice limits what was said of the selected orders; on opening a chart every order is meant."""
    return not selected or notice.orders is None or bool(selected & set(notice.orders))


def _of_patient(case: Case, notice: Notice, prefetch: Prefetch, selected: frozenset[str]) -> Gap | None:
    part, _, rest = notice.field.removeprefix("patient.").partition(".")
    if part in (ALLERGIES, CONDITIONS) and not rest:
        return None  # told by the state of the data, with the reason
    if part == ALLERGIES and notice.code == "unknown-drug" and rest.isdigit():
        loud = notice.limits and not _only_food(case, int(rest))
        return Gap(4, "an allergy that is not known here", notice.message, loud)
    if part == CONDITIONS:
        return Gap(5, "conditions that are not known here", notice.message, notice.limits)
    # What was not sent at all has been told already, for all its values at once.
    kind = _kind_of(part)
    told = kind in ASKED_FOR and prefetch.state(kind) in REASONS
    loud = notice.limits and not told and _concerns(notice, selected)
    wanted = part if notice.code in ("missing-lab", "stale-lab") and prefetch.known(kind) else ""
    return Gap(4, shown_name(part), notice.message, loud, wanted, old=notice.code == "stale-lab")


def _kind_of(part: str) -> str:
    """The kind of data that a value of the patient comes with."""
    if part in ("age_years", "sex"):
        return PATIENT
    return VITALS if part in VITAL_CODES else LABORATORY if part in LAB_CODES else PROCEDURES


def _only_food(case: Case, place: int) -> bool:
    """Whether the EHR filed an allergy under food or environment only."""
    listed = case.patient.allergies or ()
    kind = set(listed[place].kind.split()) if place < len(listed) else set()
    return bool(kind & {"food", "environment"}) and not kind & {"medication", "biologic"}


def notice_gaps(
    notices: Iterable[Notice], case: Case, prefetch: Prefetch, selecting: bool, selected: frozenset[str] = frozenset()
) -> list[Gap]:
    """Notices of the reading and of the review as gaps; loud where they concern the selected orders."""
    found: list[Gap | None] = []
    for notice in notices:
        if notice.code == "nothing-to-check":
            continue
        if notice.field.startswith("patient."):
            found.append(_of_patient(case, notice, prefetch, selected))
        elif _PLACE.match(notice.field):
            found.append(_of_order(case, notice, selecting))
        else:
            rank = 0 if notice.field.startswith("new_orders.") else 2
            found.append(Gap(rank, _short(notice), notice.message, notice.limits))
    return [gap for gap in found if gap is not None]


def _short(notice: Notice) -> str:
    if notice.code in NO_DRUG:
        return "a medicine that could not be read"
    return "some of the data sent" if notice.field.startswith("prefetch") else "some details"


def _shorts(gaps: Iterable[Gap]) -> list[str]:
    """The loud gaps in a few words each; what is missing of one order is told together: "dose and route of morphine"."""
    details: dict[str, list[str]] = {}
    for gap in gaps:
        known = details.setdefault(gap.short, [])
        known += [gap.detail] if gap.detail and gap.detail not in known else []
    return [f"{' and '.join(sorted(what))} of {name}" if what else name for name, what in details.items()]


def _listed(title: str, shorts: list[str], most: int) -> str:
    """As many as fit, each whole, and how many more; "" where not even one does."""
    for count in range(len(shorts), 0, -1):
        more = len(shorts) - count
        text = f"{title}: {', '.join(shorts[:count])}" + (f" and {more} more" if more else "")
        if len(text) < most:
            return text
    return ""


def gap_summary(gaps: list[Gap]) -> str:
    """One sentence naming the gravest gaps; a result that was used although it is old is no gap, and is told as what it is."""
    loud = [gap for gap in gaps if gap.loud]
    missing, old = _shorts(g for g in loud if not g.old), _shorts(g for g in loud if g.old)
    if not missing:
        return _listed("Checked with old results", old, LONGEST_SUMMARY) or "Checked with old results"
    told = _listed("Not checked", missing, 130) or one_sentence(f"Not checked: {missing[0]}")
    also = _listed("; old results", old, LONGEST_SUMMARY - len(told)) if old else ""
    return told + also


def ordered(gaps: Iterable[Gap]) -> list[Gap]:
    """The gravest first, each once."""
    kept: dict[str, Gap] = {}
    for gap in sorted(gaps, key=lambda g: (not g.loud, g.rank, g.message)):
        kept.setdefault(gap.message, gap)
    return list(kept.values())
