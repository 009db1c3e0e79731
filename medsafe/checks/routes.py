"""Routes and dose forms by which a drug must not, or only with care, be given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from medsafe.context.advice import advice_for
from medsafe.context.context import Context
from medsafe.model.drugs import RouteRule
from medsafe.model.findings import Finding, Notice, PathStep
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity
from medsafe.model.vocabulary import TUBE_ROUTES

CRUSH_RESISTANT = frozenset({"modified-release", "gastro-resistant"})


def _broken(medicine: Medicine, rule: RouteRule) -> bool:
    by_route = not rule.routes or (medicine.route is not None and medicine.takes_route(rule.routes))
    by_form = not rule.forms or bool(rule.forms & medicine.forms)
    return (bool(rule.routes) or bool(rule.forms)) and by_route and by_form and not _excepted(medicine, rule)


def _excepted(medicine: Medicine, rule: RouteRule) -> bool:
    """Whether it was ordered by a name that the rule is not about; an order by code alone stays under the rule."""
    said = medicine.product.casefold()
    return any(name.casefold() in said for name in rule.except_names)


def _finding(medicine: Medicine, severity: Severity, text: str, management: tuple[str, ...], rule: str) -> Finding:
    return Finding(
        kind="route-form",
        hazard="route-or-formulation",
        severity=severity,
        drugs=(medicine.id,),
        orders=(medicine.order,),
        summary=f"{medicine.drug.name}: {text}"[:139],
        key=("route", medicine.id),
        consequence=text,
        path=(PathStep(medicine.id, "given-by", medicine.route or "unknown route"),),
        management=management,
        rule=rule,
        easiest_to_change=medicine.drug.name,
    )


def find(context: Context) -> Iterator[Finding | Notice]:
    """Every broken route rule, and release forms down a tube."""
    for medicine in context.asked:
        told = False
        for rule in medicine.drug.route_rules:
            if _broken(medicine, rule):
                told = True
                finding = _finding(medicine, rule.severity, rule.text, rule.management, f"route:{medicine.id}")
                yield _cited(context, finding, medicine, rule)
        if not told and medicine.route in TUBE_ROUTES and medicine.forms & CRUSH_RESISTANT:
            advice = advice_for(context, "release-form-down-a-tube")
            finding = _finding(medicine, Severity.HIGH, advice.summary, advice.management, f"route:{medicine.id}:tube")
            yield replace(finding, sources=context.index.cite(advice.sources))
        known = medicine.drug.systemic_routes | medicine.drug.local_routes
        if (
            not told
            and medicine.route is not None
            and known
            and not medicine.takes_route(known)
            and medicine.route not in TUBE_ROUTES
        ):
            yield _unknown_route(medicine)


def _cited(context: Context, finding: Finding, medicine: Medicine, rule: RouteRule) -> Finding:
    return replace(finding, sources=context.index.cite(rule.sources, medicine.drug))


def _unknown_route(medicine: Medicine) -> Notice:
    message = f"{medicine.drug.name}: the {medicine.route} route is not on record, so it was not checked for this drug."
    return Notice("not-covered", f"{medicine.order}.route", message, medicine.route, ("route-form",))
