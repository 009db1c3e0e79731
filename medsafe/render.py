"""A review as plain data, in the words of the public contract. Rendering adds no judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medsafe.model.findings import CitedSource, Excluded, Finding, Notice, PathStep, Review, Suggestion


def source(item: CitedSource) -> dict[str, Any]:
    """One source as cited."""
    return {
        "id": item.id,
        "title": item.title,
        "locator": item.locator,
        "url": item.url,
        "status": item.status,
    }


def _step(step: PathStep) -> dict[str, Any]:
    shown = {"from": step.start, "relation": step.relation, "to": step.to}
    if step.strength:
        shown["strength"] = step.strength
    if step.share:
        shown["share"] = step.share
    return shown


def finding(item: Finding) -> dict[str, Any]:
    """One finding."""
    m = item.magnitude
    return {
        "id": item.id,
        "kind": item.kind,
        "hazard": item.hazard,
        "severity": item.severity.label,
        "interruptive": item.interruptive,
        "new": item.new,
        "drugs": list(item.drugs),
        "orders": list(item.orders),
        "summary": item.summary,
        "consequence": item.consequence,
        "mechanism": item.mechanism,
        "path": [_step(s) for s in item.path],
        "magnitude": {"measure": m.measure, "value": m.value, "basis": m.basis, "class": m.class_} if m else None,
        "management": list(item.management),
        "monitoring": list(item.monitoring),
        "modifiers": list(item.modifiers),
        "easiest_to_change": item.easiest_to_change,
        "evidence": item.evidence,
        "sources": [source(s) for s in item.sources],
        "rule": item.rule,
    }


def notice(item: Notice) -> dict[str, Any]:
    """One notice; candidates only where there are any."""
    shown: dict[str, Any] = {
        "code": item.code,
        "field": item.field,
        "value": item.value,
        "message": item.message,
        "blocks": list(item.blocks),
    }
    if item.candidates:
        shown["candidates"] = [dict(c) for c in item.candidates]
    return shown


def suggestion(item: Suggestion, rank: int) -> dict[str, Any]:
    """One suggestion with its rank."""
    cautions = [
        {"hazard": f.hazard, "severity": f.severity.label, "drugs": list(f.drugs), "summary": f.summary}
        for f in item.cautions
    ]
    return {
        "id": item.id,
        "rank": rank,
        "for": item.for_,
        "action": item.action,
        "drug": item.drug,
        "order": dict(item.order) if item.order else None,
        "daily_dose": item.daily_dose,
        "breakthrough": dict(item.breakthrough) if item.breakthrough else None,
        "in_place_of": list(item.in_place_of),
        "label": item.label,
        "rationale": item.rationale,
        "cautions": cautions,
        "titration": item.titration,
        "review_after": item.review_after,
        "monitoring": list(item.monitoring),
        "reasons": list(item.reasons),
        "evidence": item.evidence,
        "sources": [source(s) for s in item.sources],
    }


def excluded(item: Excluded) -> dict[str, Any]:
    """One option that was ruled out."""
    return {
        "for": item.for_,
        "action": item.action,
        "drug": item.drug,
        "because": list(item.because),
        "sources": [source(s) for s in item.sources],
    }


NOT_VALIDATED = (
    "For qualified health professionals, who must be able to review the basis shown. The knowledge in this version has not been "
    "signed off by a licensed pharmacist and is not clinically validated."
)


def _ranked(items: tuple[Suggestion, ...]) -> list[dict[str, Any]]:
    ranks: dict[str, int] = {}
    shown = []
    for item in items:
        ranks[item.for_] = ranks.get(item.for_, 0) + 1
        shown.append(suggestion(item, ranks[item.for_]))
    return shown


def _with_fitting(item: Finding, review: Review) -> dict[str, Any]:
    """A finding; where the order is too much, with the most of it that would pass, or null where nothing does."""
    shown = finding(item)
    if item.exceeds:
        fits = review.fitting.get(item.orders[0]) if len(item.orders) == 1 else None
        shown["fitting_order"] = fits and {
            "replaces": fits.replaces,
            "order": fits.order,
            "daily_dose": fits.daily_dose,
            "cautions": list(fits.cautions),
        }
    return shown


def organ_function(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Renal and hepatic function as `POST /v1/check` shows them."""
    return {"renal": shown["renal"], "hepatic": shown["hepatic"], "cardiac": shown["cardiac"]}


def review(item: Review) -> dict[str, Any]:
    """The whole review."""
    return {
        "status": item.status,
        "complete": item.complete,
        "findings": [_with_fitting(f, item) for f in item.findings],
        "notices": [notice(n) for n in item.notices],
        "organ_function": organ_function(item.organ_function),
        "opioids": dict(item.opioids),
        "suggestions": _ranked(item.suggestions),
        "excluded": [excluded(e) for e in item.excluded],
        "knowledge": dict(item.knowledge),
        "tailoring": {"switched_off": list(item.tailoring)},
        "disclaimer": NOT_VALIDATED,
    }
