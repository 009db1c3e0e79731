"""Suggestions: every option is put through the checks in this patient, as an order, before anyone sees it.

What a check would newly find as high or critical rules an option out, with that reason; anything less stands beside it as a
caution. Ranking is by benefit, opioid-sparing, burden, this patient's circumstances and what the option would add.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from medsafe.checks import stopping
from medsafe.context.context import Context
from medsafe.context.derive import Derived
from medsafe.context.engine import Engine
from medsafe.merge import combine
from medsafe.model.criteria import Truth, judge_all
from medsafe.model.findings import Excluded, Finding, Notice, Suggestion
from medsafe.model.medicine import Medicine
from medsafe.model.options import Option, Symptom
from medsafe.model.statements import Severity
from medsafe.suggestions import causes, opioid_steps
from medsafe.suggestions.fitting import FittingOrder
from medsafe.suggestions.misfits import Misfit, against_misfit, find_misfits, stops
from medsafe.suggestions.options import (
    Candidate,
    bands_of,
    candidates_from_data,
    dialysis_notes,
    fitted,
    responsiveness,
)
from medsafe.suggestions.orders import as_ordered, daily_shown
from medsafe.suggestions.rescue import rescue_beside
from medsafe.suggestions.titration import controlled, not_added, raises
from medsafe.suggestions.wishes import intent_words, priority_points

RunChecks = Callable[[Context], tuple[tuple[Finding, ...], tuple[Notice, ...]]]
PENALTY = {Severity.LOW: 0.2, Severity.MODERATE: 1.0, Severity.HIGH: 3.0, Severity.CRITICAL: 9.0}
# Missing companions and standing information do not rule an option out: they are told beside it.
NEVER_EXCLUDE = frozenset({"omission", "deprescribing"})
# No dose is offered above a limit, however lightly the limit is meant.
NEVER_OFFERED = frozenset({"max-dose-exceeded"})
ADDS_NOTHING = frozenset({"opioid-monitoring"})
KIN_FAILED = 1.0
ORDER_REF = "suggestion"


def as_medicine(candidate: Candidate, order: dict[str, Any], derived: Derived, engine: Engine) -> Medicine | None:
    assert candidate.drug is not None
    return as_ordered(candidate.drug, order, derived, engine, ORDER_REF)


# A standing hazard of these kinds speaks against giving more of the same drug.
AGAINST_MORE = frozenset(
    {"exposure-increase", "renal-caution", "hepatic-caution", "max-dose-exceeded", "qt-prolongation"}
)
# And this one against giving any opioid at all, whether or not it stood before.
AGAINST_ANY = frozenset({"opioid-toxicity"})
# Giving less is not ruled out by what is found beside it: that is told.
LOWERS = ("reduce", "hold", "stop")
CHILD = "The doses on record are those of adults: ask a palliative care team for children."
GIVES = ("start", "increase", "rotate", "co-prescribe", "switch-route")


@dataclass(frozen=True, slots=True)
class Added:
    """What an option brings: findings that it creates or worsens, and standing ones that it takes part in."""

    fresh: tuple[Finding, ...]
    standing: tuple[Finding, ...]


def _joins(finding: Finding, known: Finding, drug: str, gone: frozenset[str]) -> Finding:
    """A standing hazard as it will read with the option in it: never milder than it already was, unless its cause goes."""
    if drug in known.drugs:
        return replace(finding, severity=min(finding.severity, Severity.MODERATE))
    if gone & set(known.orders) or finding.severity >= known.severity:
        return finding
    return combine([known, finding])


def added(
    found: tuple[Finding, ...],
    base: tuple[Finding, ...],
    action: str,
    drug: str,
    gone: frozenset[str] = frozenset(),
) -> Added:
    """Sort the findings of the option's order against the same case without it.

    Parameters
    ----------
    found: of the case with the option, `base`: of the case as it is. gone: orders in whose place the option comes.
    """
    before = {f.key: f for f in base}
    fresh, standing = [], []
    for finding in found:
        if ORDER_REF not in finding.orders or finding.hazard in ADDS_NOTHING:
            continue
        known = before.get(finding.key)
        against = (action == "increase" and finding.hazard in AGAINST_MORE) or (
            action in GIVES and finding.hazard in AGAINST_ANY
        )
        worse = known is None or finding.severity > known.severity
        joins_badly = (
            known is not None
            and drug not in known.drugs
            and finding.severity >= Severity.HIGH
            and finding.hazard not in STATES
            and not (finding.hazard in CARRIED_OVER and gone & set(known.orders))
        )
        if finding.dose_can_fit:
            # The offered dose is a starting dose within the band: the band is told as a caution.
            fresh.append(replace(finding, severity=min(finding.severity, Severity.MODERATE)))
        elif worse or against or joins_badly:
            fresh.append(finding)
        elif known is not None and finding.kind not in NEVER_EXCLUDE:
            standing.append(_joins(finding, known, drug, gone))
    return Added(tuple(fresh), tuple(standing))


# Rotating is the treatment of this state, so it does not speak against the opioid rotated to.
STATES = frozenset({"opioid-neurotoxicity"})
# Any opioid brings this one beside the same sedative, so it does not speak against the one that takes another's place.
CARRIED_OVER = frozenset({"cns-respiratory-depression"})


def _history_reasons(candidate: Candidate, derived: Derived) -> list[str]:
    reasons = []
    for drug_id, outcome, detail in derived.tried:
        if (
            candidate.drug is not None
            and drug_id == candidate.drug.id
            and candidate.option.action in ("start", "rotate", "increase")
        ):
            shown = f" ({detail})" if detail else ""
            if outcome == "not-tolerated":
                reasons.append(f"{candidate.drug.name} was not tolerated before{shown}.")
            elif outcome == "no-effect":
                reasons.append(f"{candidate.drug.name} had no effect before{shown}.")
    return reasons


def _rule_exclusions(candidate: Candidate, context: Context) -> tuple[list[str], list[str]]:
    """Reasons that hold, and reasons that could not be judged."""
    holding, unknown = [], []
    for exclusion in candidate.option.exclusions:
        verdict = judge_all(exclusion.when, context.facts)
        if verdict.truth is Truth.YES:
            holding.append(exclusion.because)
        elif verdict.truth is Truth.UNKNOWN:
            unknown.append(
                f"Not known: {', '.join(sorted(verdict.missing | verdict.unseen))}. It would rule this out if: {exclusion.because}"
            )
    return holding, unknown


def _cannot_swallow(candidate: Candidate, context: Context) -> list[str]:
    """By mouth is no route where swallowing or the bowel fails."""
    if candidate.order is None or candidate.order.get("route") != "oral" or candidate.option.action not in GIVES:
        return []
    barred: Any = context.policy.no_oral_with
    found = sorted(barred & context.facts.conditions)
    return (
        [f"By mouth is unreliable with {', '.join(name.replace('-', ' ') for name in found)}: choose another route."]
        if found
        else []
    )


def _too_young(candidate: Candidate, context: Context) -> list[str]:
    """The doses on record are those of adults."""
    age: Any = context.facts.values.get("age_years")
    if age is None or age >= context.policy.doses_from_age_years or candidate.drug is None:
        return []
    return [CHILD] if candidate.option.action in GIVES else []


def _already_taken(candidate: Candidate, context: Context) -> list[str]:
    if candidate.drug is None or candidate.option.action not in ("start", "co-prescribe") or candidate.replaces:
        return []
    gone = candidate.instead_of | candidate.beside
    taken = [m for m in context.active if m.id == candidate.drug.id and m.systemic and m.order not in gone]
    return (
        [f"{candidate.drug.name} is already taken: review its dose and benefit before adding anything."]
        if taken
        else []
    )


class Screener:
    """Puts the candidates of one case through the checks."""

    def __init__(self, derived: Derived, engine: Engine, findings: tuple[Finding, ...], run_checks: RunChecks) -> None:
        self.derived, self.engine, self.base, self.run_checks = derived, engine, findings, run_checks
        self.context = derived.context
        self.excluded: list[Excluded] = []

    def screen(self, candidate: Candidate) -> Suggestion | None:
        """A suggestion, or None with the reasons kept in `excluded`.

        An option that only stands where an unsuitable medicine is stopped says that it takes its place.
        """
        if not candidate.instead_of:
            return self._screen(candidate)
        told = len(self.excluded)
        beside = self._screen(replace(candidate, instead_of=frozenset(), extra_reasons=candidate.extra_reasons[1:]))
        del self.excluded[told:]
        return beside or self._screen(candidate)

    def _screen(self, candidate: Candidate) -> Suggestion | None:
        holding, unknown = _rule_exclusions(candidate, self.context.without(candidate.instead_of))
        reasons = [
            *_too_young(candidate, self.context),
            *_already_taken(candidate, self.context),
            *_history_reasons(candidate, self.derived),
            *_cannot_swallow(candidate, self.context),
            *holding,
        ]
        if candidate.option.action == "rotate" and candidate.order is None:
            reasons += candidate.extra_reasons
        if reasons:
            return self._exclude(candidate, reasons)
        if candidate.option.action == "switch-route" and not self._takes_by_mouth(candidate.option):
            return None
        if candidate.drug is None or candidate.order is None:
            return self._suggestion(candidate, None, None, Added((), ()), unknown)
        return self._screen_order(candidate, unknown)

    def _class_failed(self, candidate: Candidate) -> str:
        """A drug of the same class as the option's that did nothing before, or nothing."""
        if candidate.drug is None or candidate.option.action != "start":
            return ""
        failed = [d for d, outcome, _ in self.derived.tried if outcome == "no-effect" and d != candidate.drug.id]
        drugs = self.context.index.drugs
        kin = [d for d in failed if d in drugs and set(drugs[d].drug.classes) & set(candidate.drug.classes)]
        return drugs[kin[0]].drug.name if kin else ""

    def _takes_by_mouth(self, option: Option) -> bool:
        """Whether there is anything whose route could be changed: of what the option asks for, where it asks."""
        wanted: frozenset[str] = frozenset().union(*(c.medicine for c in option.when))
        oral = [m for m in self.context.active if m.route in (None, "oral") and not m.new]
        return any(not wanted or m.tags & wanted for m in oral)

    def _screen_order(self, candidate: Candidate, unknown: list[str]) -> Suggestion | None:
        order = dict(candidate.order or {})
        medicine = as_medicine(candidate, order, self.derived, self.engine)
        if medicine is None:
            return self._exclude(candidate, [f"{order['dose']:g} {order['unit']} could not be read as an order of it."])
        order, fit_notes = fitted(order, medicine, bands_of(self.context, medicine))
        if fit_notes:
            medicine = as_medicine(candidate, order, self.derived, self.engine) or medicine
        option_context = self.context.with_option(medicine, candidate.replaces | candidate.instead_of)
        found, notices = self.run_checks(option_context)
        gone = candidate.replaces | candidate.instead_of
        brought = added(found, self.base, candidate.option.action, medicine.id, gone)
        if candidate.option.action in LOWERS:
            brought = Added(brought.fresh, (*brought.standing, *self._cut_too_fast(candidate, option_context)))
        accepted = candidate.option.accepts
        told = [f for f in brought.fresh if f.kind not in NEVER_EXCLUDE]
        serious = [f for f in told if f.severity >= Severity.HIGH or f.hazard in NEVER_OFFERED]
        against = [f for f in serious if f.hazard not in accepted]
        against += [f for f in self._joined_excess(candidate, found, medicine) if f not in against]
        if against and candidate.option.action not in LOWERS:
            return self._exclude(candidate, [_because(f) for f in against], against)
        gaps = sorted({n.message for n in notices if n.code in ("missing-lab", "missing-data", "not-covered")})
        around = dialysis_notes(self.context, medicine)
        rescue, less = rescue_beside(
            self.derived,
            self.engine,
            candidate.order or order,
            order,
            candidate.breakthrough,
            medicine.drug,
            candidate.rescue_follows,
        )
        fit = replace(candidate, breakthrough=rescue)
        return self._suggestion(fit, order, medicine, brought, [*unknown, *fit_notes, *less, *around, *gaps])

    def _joined_excess(self, candidate: Candidate, found: Iterable[Finding], medicine: Medicine) -> list[Finding]:
        """What speaks against more of a drug that is taken: too much of it, alone or together, or that it does not suit."""
        joined = [f for f in found if candidate.beside and f.exceeds and {medicine.order} < set(f.orders)]
        own = [f for f in self.base if medicine.id in f.drugs and candidate.beside & set(f.orders)]
        unfit = [f for f in own if f.kind == "organ-dose" and f.severity >= Severity.HIGH]
        return [*joined, *(f for f in own if f.exceeds and f not in unfit), *unfit]

    def _how_to_stop(self, candidate: Candidate) -> tuple[str, ...]:
        """How the medicines are stopped or lowered that an option stops or lowers, each said once."""
        gone = candidate.instead_of | (candidate.replaces if candidate.option.action in LOWERS else frozenset())
        own = candidate.drug.id if candidate.drug else ""
        told = (
            text if m.id == own else f"{m.drug.name}: {text[0].lower()}{text[1:]}"
            for m in self.context.active
            if m.order in gone and not m.new
            for text in stopping.how_to_stop(self.context, m)
        )
        return tuple(dict.fromkeys(told))

    def _cut_too_fast(self, candidate: Candidate, with_option: Context) -> tuple[Finding, ...]:
        """What the step down from the replaced orders does by itself, to be told beside the option."""
        gone = tuple(m for m in self.context.active if m.order in candidate.replaces)
        seen = replace(with_option, focus=None, stopped=(), replaced=gone)
        return tuple(f for f in stopping.find(seen) if isinstance(f, Finding))

    def _exclude(
        self, candidate: Candidate, reasons: list[str], findings: list[Finding] | None = None
    ) -> Suggestion | None:
        """Keep the option with its reasons among the excluded; there is no suggestion then."""
        sources = tuple(dict.fromkeys(s for f in findings or [] for s in f.sources))
        drug = candidate.drug.id if candidate.drug else None
        self.excluded.append(
            Excluded(candidate.for_, candidate.option.action, drug, tuple(dict.fromkeys(reasons)), sources)
        )
        return None

    def _suggestion(
        self,
        candidate: Candidate,
        order: dict[str, Any] | None,
        medicine: Medicine | None,
        brought: Added,
        reasons: list[str],
    ) -> Suggestion:
        option = candidate.option
        helped = candidate.drug is not None and any(
            d == candidate.drug.id and o == "helped" for d, o, _ in self.derived.tried
        )
        wishes, why = priority_points(candidate, order, self.context)
        kin = self._class_failed(candidate)
        score = (
            candidate.score
            + wishes
            - (KIN_FAILED if kin else 0.0)
            + (2.0 if helped else 0.0)
            - _penalty(brought.fresh, option.accepts)
        )
        return Suggestion(
            for_=candidate.for_,
            action=option.action,
            label=_label(option.label, order, candidate),
            rationale=option.rationale,
            score=round(score, 3),
            drug=candidate.drug.id if candidate.drug else None,
            order=order,
            daily_dose=daily_shown(medicine, order) if medicine and order else None,
            cautions=tuple(sorted((*brought.fresh, *brought.standing), key=lambda f: (-f.severity, f.key))),
            titration=" ".join(filter(None, (option.titration, *self._how_to_stop(candidate)))),
            review_after=option.review_after,
            monitoring=tuple(m.what for m in candidate.drug.monitoring[:2]) if candidate.drug else (),
            reasons=(
                *candidate.extra_reasons,
                *(["It helped before."] if helped else []),
                *([f"{kin}, of the same class, had no effect."] if kin else []),
                *why,
                *intent_words(option.action, self.context),
                *reasons,
                *candidate.working,
            ),
            evidence=option.evidence,
            option=option.id,
            sources=self.engine.index.cite(option.sources, candidate.drug),
            breakthrough=candidate.breakthrough,
            in_place_of=tuple(sorted(candidate.instead_of)),
        )


def _penalty(fresh: tuple[Finding, ...], accepted: frozenset[str]) -> float:
    """What new findings take from an option: each hazard once, by its worst; the price that it is known to have not."""
    worst: dict[str, Severity] = {}
    for finding in fresh:
        if finding.hazard in accepted:
            continue
        worst[finding.hazard] = max(worst.get(finding.hazard, finding.severity), finding.severity)
    return sum(PENALTY[severity] for severity in worst.values())


def _because(finding: Finding) -> str:
    return f"{finding.summary} [{finding.hazard}, {finding.severity.label}]"


def _label(label: str, order: dict[str, Any] | None, candidate: Candidate) -> str:
    if order is None or candidate.replaces:
        return label
    how = f"{order['dose']:g} {order['unit']} {order['route']}"
    if order.get("prn"):
        how += " as needed"
    elif order.get("times_per_day"):
        times = order["times_per_day"]
        how += (
            f", {times:g} times a day" if times > 1 else ", once a day" if times == 1 else f", every {1 / times:g} days"
        )
    if candidate.instead_of:
        label = f"{label}, in place of what is stopped"
    return f"{label}: {how}"[:139]


def _opioid_candidates(
    context: Context,
    symptom: Symptom,
    score: float | None,
    engine: Engine,
    findings: tuple[Finding, ...],
    excluded: list[Excluded],
) -> Iterator[Candidate]:
    responsive = responsiveness(symptom, engine.knowledge.symptoms)
    if responsive == "no":
        return
    s = opioid_steps.situation(context, score, responsive, findings)
    if not s.background and not s.rescue:
        return
    against = opioid_steps.why_not_raise(context, s)
    for medicine in s.background:
        reasons = (*against, *opioid_steps.why_not_raise_this(context, s, medicine))
        if reasons:
            excluded.append(Excluded(symptom.name, "increase", medicine.id, reasons))
    if not against:
        yield from opioid_steps.raise_background(context, symptom.name, s)
    yield from opioid_steps.lower_background(context, symptom.name, s)
    yield from opioid_steps.rotations(context, symptom.name, s)
    if symptom.id in context.facts.symptoms:
        yield from opioid_steps.add_rescue(context, symptom.name, s)
    yield from opioid_steps.go_on(context, symptom.name, s)
    yield from opioid_steps.look_for_reasons(context, symptom.name, s)


def _unknown_symptom(position: int, name: str, engine: Engine) -> Notice:
    like = engine.symptoms_like(name)
    shown = [{"id": key, "name": engine.knowledge.symptoms[key].name, "score": round(score, 1)} for key, score in like]
    hint = f" It may mean: {', '.join(str(item['name']) for item in shown)}." if shown else ""
    message = f"The symptom “{name}” is not known here: no suggestion was made for it.{hint}"
    return Notice("not-covered", f"symptoms.{position}.name", message, name, ("suggestions",), tuple(shown))


def _for_adults(derived: Derived) -> list[Notice]:
    age: Any = derived.context.facts.values.get("age_years")
    if age is None or age >= derived.context.policy.doses_from_age_years:
        return []
    return [Notice("not-covered", "patient.age_years", f"{CHILD} No medicine is suggested.", age, ("suggestions",))]


def _unscored(position: int, symptom: Symptom) -> Notice:
    message = f"No score was given for {symptom.name}: it was taken as moderate, and no dose is raised on it."
    return Notice("missing-data", f"symptoms.{position}.score", message, None, ("suggestions",), limits=False)


def _same_again(candidate: Candidate, misfits: Iterable[Misfit]) -> bool:
    """Whether an option would give again, by the same route, what does not suit this patient."""
    route = (candidate.order or {}).get("route")
    return any(
        candidate.drug is not None and m.id == candidate.drug.id and m.route in (None, route) for m, _ in misfits
    )


def _written(symptom: Symptom, derived: Derived, engine: Engine, findings: tuple[Finding, ...]) -> list[Candidate]:
    """The options of the data, and what they should take the place of.

    What does not suit this patient is to be stopped, so it must not bar the options that would take its place.
    """
    symptoms, context = engine.knowledge.symptoms, derived.context
    written = list(candidates_from_data(symptom, symptoms, context))
    unsuitable = find_misfits(derived, symptom, findings, written)
    slow = [(m, f) for m, f in unsuitable if not m.new and stopping.never_at_once(context, m)]
    misfits = [(m, f) for m, f in unsuitable if (m, f) not in slow]
    written = [*(against_misfit(context, symptom, m, f, slowly=True) for m, f in slow), *written]
    if not misfits:
        return written
    gone = frozenset(m.order for m, _ in misfits)
    why = f"In place of {', '.join(m.drug.name for m, _ in misfits)}: to be given only when that is not."
    others = [
        replace(c, instead_of=gone, extra_reasons=(why, *c.extra_reasons))
        for c in candidates_from_data(symptom, symptoms, context.without(gone))
        if c.option.action == "start" and c.drug is not None and not _same_again(c, misfits)
    ]
    kept = {c.option.id for c in others}
    asked = any(c.option.action == "stop" for c in written)
    stops = [] if asked else [against_misfit(context, symptom, m, f, slowly=False) for m, f in misfits]
    return [*stops, *(c for c in written if c.option.id not in kept), *others]


def _by_cause(
    context: Context, symptom: Symptom, findings: tuple[Finding, ...], fitting: Mapping[str, FittingOrder]
) -> Iterator[Candidate]:
    """What to do with medicines that may cause the symptom; nothing of a symptom that is absent."""
    if symptom.id in context.facts.symptoms:
        yield from causes.lowered(context, symptom, findings, fitting)


def suggest(
    derived: Derived,
    engine: Engine,
    findings: tuple[Finding, ...],
    run_checks: RunChecks,
    fitting: Mapping[str, FittingOrder] = MappingProxyType({}),
) -> tuple[tuple[Suggestion, ...], tuple[Excluded, ...], tuple[Notice, ...]]:
    """Suggestions for every symptom of the case, the options ruled out, and symptoms that are not known."""
    screener = Screener(derived, engine, findings, run_checks)
    found: list[Suggestion] = []
    notices: list[Notice] = _for_adults(derived) if derived.context.case.symptoms else []
    done: set[str] = set()
    for position, report in enumerate(derived.context.case.symptoms):
        key = engine.symptom_id(report.name)
        symptom = engine.knowledge.symptoms.get(key or "")
        if symptom is None:
            notices.append(_unknown_symptom(position, report.name, engine))
            continue
        absent = symptom.id not in derived.context.facts.symptoms
        # Of what is absent only what answers well to opioids is gone through: whether its opioid stays as it is.
        if symptom.id in done or (absent and symptom.opioid_responsive != "yes"):
            continue
        done.add(symptom.id)
        if report.score is None and responsiveness(symptom, engine.knowledge.symptoms) != "no":
            notices.append(_unscored(position, symptom))
        written = [] if absent else _written(symptom, derived, engine, findings)
        written = causes.named(derived.context, symptom, findings, written)
        if controlled(symptom, report.score, derived.context, engine):
            told, written = written, [c for c in written if c.option.action != "start" or c.drug is None]
            screener.excluded += not_added(told, written)
        candidates = [
            *_opioid_candidates(derived.context, symptom, report.score, engine, findings, screener.excluded),
            *stops(derived, symptom, written),
            *_by_cause(derived.context, symptom, findings, fitting),
            *raises(symptom, report.score, derived.context, engine, findings),
            *written,
        ]
        found += [s for s in (screener.screen(c) for c in candidates) if s is not None]
    ranked = sorted(found, key=lambda s: (s.for_, -s.score, s.action, s.drug or "", s.option))
    excluded = sorted(screener.excluded, key=lambda e: (e.for_, e.action, e.drug or "", e.because))
    return tuple(ranked), tuple(excluded), tuple(notices)
