"""The one deep door: a case and the engine in, a review out. Pure: no clock, no files, no network, no logging."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from medsafe.checks import (
    allergies,
    burdens,
    cautions,
    curated,
    doses,
    duplicates,
    not_stated,
    opioid_safety,
    organ_doses,
    pathways,
    routes,
    stopping,
    time_course,
)
from medsafe.checks.not_stated import told_together
from medsafe.context.asked import attributed
from medsafe.context.context import Context
from medsafe.context.derive import Derived, derive
from medsafe.context.engine import Engine
from medsafe.merge import merge, one_hazard, tier
from medsafe.model.case import Case
from medsafe.model.findings import Finding, Notice, Review, finding_order, merge_notices
from medsafe.suggestions.fitting import fitting_orders
from medsafe.suggestions.suggest import suggest

Check = Callable[[Context], Iterator[Finding | Notice]]
# A new kind of check is one module and one line here.
CHECKS: tuple[Check, ...] = (
    pathways.find,
    burdens.find,
    curated.find,
    organ_doses.find,
    doses.find,
    cautions.find,
    duplicates.find,
    allergies.find,
    routes.find,
    opioid_safety.find,
    time_course.find,
    stopping.find,
    not_stated.find,
)


def run_checks(context: Context) -> tuple[tuple[Finding, ...], tuple[Notice, ...]]:
    """Every check over one context: merged and tiered findings in their order, and notices."""
    findings: list[Finding] = []
    notices: list[Notice] = []
    for check in CHECKS:
        for item in check(context):
            if isinstance(item, Finding):
                findings.append(item)
            else:
                notices.append(item)
    shown = [f for f in findings if f.rule not in context.policy.switched_off]
    return tuple(sorted((tier(context, f) for f in merge(one_hazard(context, shown))), key=finding_order)), tuple(
        notices
    )


def _status(case: Case, findings: tuple[Finding, ...], limited: bool) -> str:
    if not (case.regimen or case.new_orders or case.symptoms):
        return "nothing-to-check"
    if findings:
        return "findings"
    return "incomplete" if limited else "all-clear"


def _nothing_to_check(case: Case) -> list[Notice]:
    if case.regimen or case.new_orders:
        return []
    message = "There is no order to check: give at least one in regimen or new_orders."
    return [Notice("nothing-to-check", "regimen", message, None, ("all checks",))]


def _opioids(context: Context) -> dict[str, Any]:
    totals = context.opioids
    return {
        "ome_mg_per_day": totals.ome_mg_per_day,
        "regular_ome_mg_per_day": totals.regular_ome_mg_per_day,
        "table": totals.table,
        "lines": list(totals.lines),
        "naive": totals.naive,
        "unknown": list(totals.unknown),
        "disagreements": [dict(item) for item in totals.disagreements],
    }


def review(case: Case, engine: Engine) -> Review:
    """Review one case: everything that can be said about it, and what could not be checked.

    Parameters
    ----------
    case: the patient, regimen, new orders, symptoms and goals, as given.
    engine: one compiled version of the knowledge.

    Returns
    -------
    The review; the same case and the same knowledge always give the same review.
    """
    derived: Derived = derive(case, engine)
    context = derived.context
    findings, notices = run_checks(context)
    fitting = fitting_orders(context, engine, findings, run_checks)
    suggestions, excluded, more = suggest(derived, engine, findings, run_checks, fitting)
    told = (
        *attributed(context, derived.notices),
        *notices,
        *more,
        *_nothing_to_check(case),
    )
    all_notices = merge_notices(told_together(context, told))
    limited = any(notice.limits for notice in all_notices)
    knowledge = engine.knowledge
    return Review(
        status=_status(case, findings, bool(all_notices)),
        complete=not limited and not all_notices,
        findings=findings,
        notices=all_notices,
        organ_function=context.organ.shown,
        opioids=_opioids(context),
        suggestions=suggestions,
        excluded=excluded,
        knowledge={
            "version": knowledge.version,
            "digest": knowledge.digest,
            "released_on": knowledge.released_on.isoformat(),
        },
        tailoring=context.policy.switched_off,
        fitting=fitting,
    )
