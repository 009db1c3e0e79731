"""A review as CDS Hooks cards. Rendering adds no judgement: severity and interruption were decided in the review."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from medsafe.context.context import Policy
from medsafe.context.engine import Engine
from medsafe.fhir.gaps import Gap, gap_summary
from medsafe.fhir.markdown import LONGEST_SUMMARY, bullets, escaped, link, naming, one_sentence, section
from medsafe.fhir.proposals import Proposal, proposals, test_orders
from medsafe.fhir.reading import Reading
from medsafe.fhir.shape import Json
from medsafe.model.findings import CitedSource, Finding, PathStep, Review
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import shown_name, shown_unit
from medsafe.render import NOT_VALIDATED

LABEL = "medsafe medication safety check"
HAZARDS, OVERRIDES = "urn:medsafe:hazard", "urn:medsafe:override-reason"
ALWAYS_SHOWN = ("age_years", "creatinine")
MOST_SOURCES, MOST_GAPS, MOST_FOLDED, MOST_LINKS = 6, 12, 12, 3
LOUDEST_FIRST = ("critical", "warning", "info")


@dataclass(frozen=True, slots=True)
class Call:
    """What identifies one call of one service; a card's uuid is made from it. The ids say about whom new orders are."""

    service: str
    instance: str
    patient_id: str = ""
    encounter_id: str = ""

    def uuid(self, name: str) -> str:
        """The same name in the same call always gives the same uuid."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:medsafe:{self.service}:{self.instance}:{name}"))


@dataclass(frozen=True, slots=True)
class Desk:
    """What one answer is made of: the reading, its review, the knowledge, and the refs of the orders asked about."""

    reading: Reading
    review: Review
    engine: Engine
    call: Call
    selected: frozenset[str]
    repeated: tuple[Finding, ...] = ()

    @property
    def own(self) -> list[Finding]:
        """The findings with a card of their own."""
        return _shown(self)[0]


def without_empties(value: Mapping[str, Any]) -> dict[str, Any]:
    """The object without its empty members: CDS Hooks wants keys left out, not null or empty."""
    return {key: item for key, item in value.items() if item is not None and item != "" and item != [] and item != {}}


def indicator(finding: Finding, selected: frozenset[str], policy: Policy) -> str:
    """How loud a card is: what the policy lets interrupt, loudest where the order at hand takes part.

    A critical hazard of other medicines warns where it hurts soon; only one that the order itself is part of may stop
    the prescriber.
    """
    concerned = not selected or bool(selected & set(finding.orders))
    if not finding.interruptive or not (concerned or finding.hazard in policy.standing_interrupts):
        return "info"
    return "critical" if finding.severity >= Severity.CRITICAL and concerned else "warning"


def _step(step: PathStep) -> str:
    told = next((word for word in (step.strength, step.share) if word and "__" not in word), "")
    told = f"weight {told}" if told.replace(".", "").isdigit() else told
    text = f"{step.start.replace('-', ' ')} {step.relation.replace('-', ' ')} {step.to.replace('-', ' ').replace('_', ' ')}"
    return f"{text} ({told})" if told else text


def _source(source: CitedSource) -> str:
    where = f", {escaped(source.locator)}" if source.locator else ""
    recalled = "" if source.status == "opened" else " (cited from memory)"
    return f"- {link(source.title or source.id, source.url)}{where}{recalled}"


def _on(taken_on: date | None) -> str:
    return f" ({taken_on})" if taken_on else " (undated)"


def facts(reading: Reading, review: Review) -> dict[str, str]:
    """Every value of the patient that was used, with its date; what was doubted is not among them."""
    doubted = {n.field for n in review.notices if n.code in ("unit-suspect", "value-implausible")}
    patient, found = reading.case.patient, {}
    for name, value in sorted(patient.vitals.items()):
        when = "" if name == "age_years" else _on(reading.vital_dates.get(name))
        found[name] = f"{shown_name(name)} {value:g} {shown_unit(name)}".rstrip() + when
    for name, lab in sorted(patient.labs.items()):
        unit = f" {lab.unit}" if lab.unit and lab.unit.strip("{}") not in ("1", shown_name(name)) else ""
        found[name] = f"{shown_name(name)} {lab.value:g}{unit}{_on(lab.taken_on)}"
    return {name: text for name, text in found.items() if f"patient.{name}" not in doubted}


def _estimates(review: Review) -> list[str]:
    renal = review.organ_function.get("renal", {})
    named = {"crcl_ml_min": "CrCl {:g} mL/min (estimated)", "egfr_ml_min_173m2": "eGFR {:g} mL/min/1.73 m² (estimated)"}
    return [text.format(renal[name]) for name, text in named.items() if renal.get(name) is not None]


def _facts_of(finding: Finding, reading: Reading, review: Review) -> list[str]:
    """The facts that a finding speaks of, and those behind every kidney estimate."""
    told = (
        finding.summary,
        finding.consequence,
        finding.mechanism,
        *finding.management,
        *finding.monitoring,
        *finding.modifiers,
    )
    text = " ".join((*told, *(step.to for step in finding.path))).casefold().replace("_", " ")
    every = facts(reading, review)
    named = [line for name, line in every.items() if name in ALWAYS_SHOWN or re.search(rf"\b{_stem(name)}\b", text)]
    return [*named, *_estimates(review)]


def _stem(name: str) -> str:
    """The word by which a text speaks of a value: "qtc" for qtc_ms, "weight" for weight_kg, "digoxin level" for itself."""
    parts = name.removeprefix("previous_").split("_")
    return " ".join(parts) if parts[-1] == "level" else parts[0]


def _rests_on(reading: Reading, review: Review) -> str:
    as_of = f"Checked on {reading.case.as_of} with knowledge " if reading.case.as_of else "Knowledge "
    return f"_{as_of}{escaped(review.knowledge['version'])}. {NOT_VALIDATED}_"


def detail(finding: Finding, reading: Reading, review: Review) -> str:
    """Everything behind a finding, as escaped markdown."""
    parts = (
        f"**{finding.severity.label.capitalize()}**: {escaped(finding.consequence or finding.summary)}",
        section("Mechanism", escaped(finding.mechanism), bullets(_step(s) for s in finding.path)),
        section("What to do", bullets(finding.management)),
        section("Monitor", bullets(finding.monitoring)),
        section("In this patient", bullets(finding.modifiers)),
        section("Patient data used", bullets(_facts_of(finding, reading, review))),
        section("Evidence", escaped(finding.evidence)),
        section("Sources", "\n".join(_source(s) for s in finding.sources[:MOST_SOURCES])),
        _rests_on(reading, review),
    )
    return "\n\n".join(part for part in parts if part)


def _topic(code: str) -> dict[str, str]:
    return {"system": HAZARDS, "code": code, "display": code.replace("-", " ")}


def _override_reasons(engine: Engine) -> list[dict[str, str]]:
    return [{"system": OVERRIDES, "code": code, "display": shown} for code, shown in engine.policy.override_reasons]


def _suggestion(proposal: Proposal, name: str, call: Call) -> Json:
    found: Json = {"label": proposal.label, "uuid": call.uuid(f"{name}:{proposal.name}")}
    found |= {"isRecommended": True} if proposal.recommended else {}
    return {**found, "actions": list(proposal.actions)}


def _links(finding: Finding) -> list[Json]:
    """What was read for this finding, to be opened by whoever wants to know more."""
    read = {s.url: s.title or s.id for s in finding.sources if s.status == "opened" and s.url.startswith("https://")}
    return [{"label": title, "url": url, "type": "absolute"} for url, title in list(read.items())[:MOST_LINKS]]


def finding_card(finding: Finding, desk: Desk) -> Json:
    """One hazard as one card."""
    reading, review, call = desk.reading, desk.review, desk.call
    loudness = indicator(finding, desk.selected, desk.engine.policy)
    loud = loudness != "info"
    offered = proposals(finding, reading, desk.engine, desk.selected, call.patient_id) if loud else []
    suggestions = [_suggestion(proposal, finding.id, call) for proposal in offered]
    return without_empties(
        {
            "uuid": call.uuid(finding.id),
            "summary": card_summary(finding, desk.engine),
            "indicator": loudness,
            "source": {"label": LABEL, "topic": _topic(finding.hazard)},
            "detail": detail(finding, reading, review),
            "suggestions": suggestions,
            "selectionBehavior": "at-most-one" if suggestions else None,
            "overrideReasons": _override_reasons(desk.engine) if loud else None,
            "links": _links(finding),
        }
    )


def card_summary(finding: Finding, engine: Engine) -> str:
    """A sentence within the limit that names every drug it can, never part of a name."""
    if len(finding.summary) <= LONGEST_SUMMARY:
        return one_sentence(finding.summary)
    names = [engine.index.drugs[d].drug.name if d in engine.index.drugs else d for d in finding.drugs]
    return naming(finding.hazard.replace("-", " ").capitalize(), names)


def folded_card(findings: list[Finding], desk: Desk) -> Json:
    """The findings for which there is no card of their own, in one."""
    lines = [
        f"- **{f.severity.label}**: {escaped(f.summary)}" + (f" {escaped(f.management[0])}" if f.management else "")
        for f in findings[:MOST_FOLDED]
    ]
    more = len(findings) - MOST_FOLDED
    lines += [f"- and {more} more"] if more > 0 else []
    first, call = card_summary(findings[0], desk.engine).rstrip("."), desk.call
    rest = f" (and {len(findings) - 1} more of lower priority)" if len(findings) > 1 else ""
    return {
        "uuid": call.uuid("|".join(["more", *(f.id for f in findings)])),
        "summary": f"{one_sentence(first, LONGEST_SUMMARY - len(rest))}{rest}",
        "indicator": "info",
        "source": {"label": LABEL, "topic": _topic("more-findings")},
        "detail": "\n".join(lines) + "\n\n" + _rests_on(desk.reading, desk.review),
    }


def repeated_card(desk: Desk) -> Json:
    """That alerts were left out because this clinician has seen them, and which."""
    drugs = list(dict.fromkeys(" + ".join(f.drugs).replace("-", " ") for f in desk.repeated))
    return {
        "uuid": desk.call.uuid("|".join(["repeated", *(f.id for f in desk.repeated)])),
        "summary": naming(f"Shown when selected, not repeated ({len(desk.repeated)})", drugs, "; "),
        "indicator": "info",
        "source": {"label": LABEL, "topic": _topic("repeated-alerts")},
        "detail": bullets(f.summary for f in desk.repeated) + "\n\n" + _rests_on(desk.reading, desk.review),
    }


def gap_card(gaps: list[Gap], call: Call, rests_on: str = "", tests: Proposal | None = None) -> Json:
    """What was not checked, in one card; with the tests that would close the gap."""
    lines = [gap.message for gap in gaps[:MOST_GAPS]]
    more = len(gaps) - MOST_GAPS
    lines += [f"and {more} more"] if more > 0 else []
    suggestions = [_suggestion(tests, "not-checked", call)] if tests else []
    return without_empties(
        {
            "uuid": call.uuid("not-checked"),
            "summary": gap_summary(gaps),
            "indicator": "info",
            "source": {"label": LABEL, "topic": _topic("not-checked")},
            "detail": "\n\n".join(filter(None, ("Silence on these is not safety:", bullets(lines), rests_on))),
            "suggestions": suggestions,
            "selectionBehavior": "at-most-one" if suggestions else None,
        }
    )


def _shown(desk: Desk) -> tuple[list[Finding], list[Finding]]:
    """(own cards, folded): the loud few by themselves, the gravest first; of the quiet ones the gravest, if there is room."""
    policy = desk.engine.policy
    told = [f for f in desk.review.findings if concerns(desk.selected)(f) and f not in desk.repeated]
    loudness = {f.id: indicator(f, desk.selected, policy) for f in told}
    told.sort(key=lambda f: LOUDEST_FIRST.index(loudness[f.id]))
    loud = [f for f in told if loudness[f.id] != "info"][: policy.most_cards]
    standing = [f for f in told if f.interruptive and loudness[f.id] == "info"]
    quiet = [f for f in told if not f.interruptive and f.severity >= Severity.MODERATE]
    own = [*loud, *[*standing, *quiet[: max(policy.most_quiet_cards - len(loud), 0)]][: policy.most_cards - len(loud)]]
    return own, [f for f in told if f not in own]


def concerns(selected: frozenset[str]) -> Callable[[Finding], bool]:
    """Findings that a selected draft takes part in, and critical ones that stand anyway."""
    return lambda f: bool(selected & set(f.orders)) or (not f.new and f.severity >= Severity.CRITICAL)


def _tests(desk: Desk, gaps: list[Gap]) -> Proposal | None:
    """The tests behind the loud gaps, where the EHR's own results were looked at and lack them."""
    wanted = [gap.field for gap in gaps if gap.loud and gap.field]
    return test_orders(wanted, desk.engine, desk.call.patient_id, desk.call.encounter_id)


def cards_of(desk: Desk, gaps: Iterable[Gap]) -> list[Json]:
    """All cards of one answer, the gravest first; the gaps last."""
    own, folded = _shown(desk)
    cards = [finding_card(f, desk) for f in own]
    if folded:
        cards.append(folded_card(folded, desk))
    if desk.repeated:
        cards.append(repeated_card(desk))
    listed = list(gaps)
    if any(gap.loud for gap in listed):
        cards.append(gap_card(listed, desk.call, _rests_on(desk.reading, desk.review), _tests(desk, listed)))
    return cards
