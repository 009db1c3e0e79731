"""What the medicines do to each other's exposure through enzymes, transporters and absorption.

For each victim all perpetrators on all its pathways are judged together: inhibitors of one pathway multiply, two exits
blocked by two drugs add up, inhibitors and inducers net out. R = AUC with / AUC without =
1 / (1 - sum of CR x (1 - activity)), after Ohno 2007 and 2008 and the general static model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from medsafe.context.advice import advice_for
from medsafe.context.beside import Beside, dose_beside
from medsafe.context.context import Context
from medsafe.model.drugs import Modulator, Substrate
from medsafe.model.findings import Finding, Magnitude, Notice, PathStep
from medsafe.model.knowledge import Pathway
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Guidance, Severity
from medsafe.model.vocabulary import ENTERAL_ROUTES

# The model has a pole where a single drug takes nearly the whole clearance: beyond this the number means nothing.
HIGHEST_BLOCKED_SHARE = 0.95
LEAST_ACTIVITY = 0.02
# A perpetrator is named when leaving it out would change the prediction by at least this much.
MATERIAL_CHANGE = 0.1
SHARE_WORDS = ((0.65, "major"), (0.25, "moderate"), (0.0, "minor"))


@dataclass(frozen=True, slots=True)
class Action:
    """One perpetrator acting on one pathway, with the part of its effect that is left if it was stopped."""

    medicine: Medicine
    modulator: Modulator
    left: float = 1.0

    def ratio(self, parenteral_victim: bool) -> float:
        full = self.modulator.ratio
        if parenteral_victim and self.modulator.ratio_hepatic is not None:
            full = self.modulator.ratio_hepatic
        return full * self.left


@dataclass(frozen=True, slots=True)
class Exit:
    """One pathway of a victim with all that acts on it."""

    edge: Substrate
    pathway: Pathway
    share: float
    actions: tuple[Action, ...]
    genotype: float = 1.0

    def activity(self, parenteral: bool, without: Medicine | None = None) -> float:
        inhibited, induced = 1.0, 0.0
        for action in self.actions:
            if action.medicine is without:
                continue
            if action.modulator.induces:
                induced += action.ratio(parenteral)
            else:
                inhibited *= 1.0 - min(action.ratio(parenteral), 0.98)
        return max(LEAST_ACTIVITY, self.genotype * (1.0 + induced) * inhibited)


def remaining_effect(modulator: Modulator, stopped_days_ago: float | None) -> float:
    """Part of a perpetrator's effect that is left after it was stopped: halves five times within `offset_days`."""
    if stopped_days_ago is None:
        return 1.0
    offset = modulator.offset_days
    if not offset or stopped_days_ago >= offset:
        return 0.0
    return float(0.5 ** (5.0 * stopped_days_ago / offset))


def predicted_ratio(exits: Iterable[Exit], parenteral: bool, without: Medicine | None = None) -> float:
    """AUC ratio of the victim against the same patient without perpetrators.

    Parameters
    ----------
    exits: elimination pathways of the victim, shares as contribution ratios.
    parenteral: whether the victim bypasses the gut.
    without: a perpetrator to leave out.
    """
    blocked = base = 0.0
    for item in exits:
        blocked += item.share * (1.0 - item.activity(parenteral, without))
        base += item.share * (1.0 - item.genotype)
    return (1.0 - min(base, HIGHEST_BLOCKED_SHARE)) / (1.0 - min(blocked, HIGHEST_BLOCKED_SHARE))


def remaining_activation(exits: Iterable[Exit], parenteral: bool, without: Medicine | None = None) -> float:
    """Part of a prodrug's activation that is left."""
    lost = sum(item.share * (1.0 - item.activity(parenteral, without)) for item in exits)
    return max(0.0, 1.0 - lost)


def remaining_absorption(item: Exit, without: Medicine | None = None) -> float:
    """Part of the absorption that is left when perpetrators act in the gut."""
    return 1.0 - item.share * (1.0 - item.activity(False, without))


def _acts(medicine: Medicine, modulator: Modulator, pathway: Pathway) -> bool:
    """Absorbed drugs act everywhere; others in the gut, or where their record names the route in the scope."""
    in_gut = pathway.kind == "absorption" and (medicine.route is None or medicine.route in ENTERAL_ROUTES)
    by_record = medicine.route is not None and medicine.route in modulator.scope.routes
    return (
        (medicine.systemic and pathway.kind != "absorption")
        or in_gut
        or by_record
        or (medicine.systemic and modulator.strength == "strong")
    )


Acting = dict[str, list[tuple[Medicine, Modulator]]]


def acting_on(context: Context) -> Acting:
    """Who acts on each pathway in this case, gathered once for all victims."""
    found: Acting = {}
    pathways = context.index.knowledge.pathways
    for medicine in (*context.active, *context.stopped):
        for modulator in medicine.drug.modulates:
            if medicine.within(modulator.scope) and _acts(medicine, modulator, pathways[modulator.pathway]):
                found.setdefault(modulator.pathway, []).append((medicine, modulator))
    return found


def _actions(acting: Acting, victim: Medicine, pathway: Pathway) -> tuple[Action, ...]:
    """Every other drug that acts on the pathway, each once, as its strongest order acts."""
    strongest: dict[tuple[str, bool], Action] = {}
    for medicine, modulator in acting.get(pathway.id, ()):
        if medicine.id == victim.id:
            continue
        action = Action(medicine, modulator, remaining_effect(modulator, medicine.stopped_days_ago))
        known = strongest.get((medicine.id, modulator.induces))
        if action.left >= 0.1 and (known is None or action.ratio(False) > known.ratio(False)):
            strongest[medicine.id, modulator.induces] = action
    return tuple(strongest.values())


def _genotype(context: Context, pathway: Pathway) -> float:
    if not pathway.gene:
        return 1.0
    phenotype = context.facts.values.get(f"genotype.{pathway.gene.lower()}")
    return pathway.genotype_activity.get(str(phenotype), 1.0)


def _exits(context: Context, victim: Medicine, acting: Acting) -> list[Exit]:
    exits = []
    for edge in victim.drug.substrate_of:
        pathway = context.index.knowledge.pathways[edge.pathway]
        if not victim.within(edge.scope) or (pathway.kind == "absorption" and victim.parenteral):
            continue
        share = edge.share_parenteral if victim.parenteral and edge.share_parenteral is not None else edge.share
        exits.append(Exit(edge, pathway, share, _actions(acting, victim, pathway), _genotype(context, pathway)))
    return exits


def _severity(table: tuple[tuple[float, Severity], ...], ratio: float, increase: bool) -> Severity:
    reached = [severity for bound, severity in table if (ratio >= bound if increase else ratio <= bound)]
    return max(reached, default=Severity.NONE)


def _label_severity(exits: Iterable[Exit], named: set[str], increase: bool, standing: bool) -> Severity:
    """The severity that the victim's label gives for a perpetrator of this strength.

    To a `standing` order a perpetrator that was stopped does less: what the label asks for has been done.
    """
    role = "inhibitor" if increase else "inducer"
    found = Severity.NONE
    for item in exits:
        for action in item.actions:
            acts = "inducer" if action.modulator.induces else "inhibitor"
            absorption = item.pathway.kind == "absorption"
            if action.medicine.id in named and (acts == role or absorption) and action.left > 0.3:
                said = item.edge.at_strength.get(f"{action.modulator.strength}-{acts}", Severity.NONE)
                gone = standing and action.medicine.stopped_days_ago is not None
                found = max(found, said.step(-1) if gone and said else said)
    return found


def share_word(share: float) -> str:
    return next(word for bound, word in SHARE_WORDS if share >= bound)


def _path(victim: Medicine, exits: Iterable[Exit], named: set[str]) -> tuple[PathStep, ...]:
    steps: list[PathStep] = []
    for item in exits:
        acting = [a for a in item.actions if a.medicine.id in named]
        for action in acting:
            relation = "induces" if action.modulator.induces else "inhibits"
            steps.append(PathStep(action.medicine.id, relation, item.pathway.name, strength=action.modulator.strength))
        if acting:
            relation = "activated-by" if item.edge.activation else "substrate-of"
            steps.append(PathStep(victim.id, relation, item.pathway.name, share=share_word(item.share)))
    return tuple(dict.fromkeys(steps))


def _times(exits: Iterable[Exit], named: set[str]) -> tuple[str, ...]:
    """What the timing of each perpetrator means for the effect."""
    notes: list[str] = []
    for item in exits:
        for action in item.actions:
            if action.medicine.id not in named:
                continue
            name, modulator = action.medicine.drug.name, action.modulator
            if action.medicine.stopped_days_ago is not None:
                notes.append(
                    f"{name} was stopped {action.medicine.stopped_days_ago:g} days ago; about {action.left:.0%} of its effect on "
                    f"{item.pathway.name} is left and goes within {modulator.offset_days:g} days of stopping."
                )
            elif (
                modulator.induces
                and modulator.onset_days
                and (action.medicine.started_days_ago or 0) < modulator.onset_days
            ):
                notes.append(f"Induction by {name} builds up over about {modulator.onset_days:g} days.")
    return tuple(dict.fromkeys(notes))


def _classed(ratio: float) -> str:
    """The class of a ratio, in the words of the FDA: strong from 5, moderate from 2, weak from 1.25."""
    fold = ratio if ratio >= 1 else 1 / max(ratio, 0.01)
    return "strong" if fold >= 5 else "moderate" if fold >= 2 else "weak" if fold >= 1.25 else "none"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of exposure (or of activation) of one victim, with those who cause it.

    `opposed_by`: who works the other way, where the change is told for the time when they are gone.
    """

    victim: Medicine
    exits: tuple[Exit, ...]
    ratio: float
    hazard: str
    actors: tuple[Action, ...]
    opposed_by: tuple[Action, ...] = ()

    @property
    def increase(self) -> bool:
        return self.ratio > 1


def _beside(context: Context, change: Change) -> Beside | None:
    """What the label allows beside those who raise the victim."""
    raising = [a for a in change.actors if not a.modulator.induces] if change.increase else []
    acting = [
        (
            a.medicine,
            a.modulator,
            [e.edge for e in change.exits if any(b.medicine.id == a.medicine.id for b in e.actions)],
        )
        for a in raising
    ]
    return dose_beside(context, change.victim, acting)


def _material(exits: list[Exit], ratio: float, value_without: dict[int, float]) -> tuple[Action, ...]:
    kept: dict[int, Action] = {}
    for item in exits:
        for action in item.actions:
            other = value_without[id(action.medicine)]
            change = max(ratio, other) / max(min(ratio, other), 1e-6)
            label = item.edge.at_strength.get(
                f"{action.modulator.strength}-{'inducer' if action.modulator.induces else 'inhibitor'}"
            )
            if change >= 1.0 + MATERIAL_CHANGE or label:
                kept.setdefault(id(action.medicine), action)
    return tuple(kept.values())


def _changes(context: Context, victim: Medicine, acting: Acting) -> Iterator[Change]:
    exits = _exits(context, victim, acting)
    p = victim.parenteral
    elimination = [e for e in exits if e.pathway.kind != "absorption" and not e.edge.activation]
    activation = [e for e in exits if e.edge.activation]
    if any(e.actions for e in elimination):
        ratio = predicted_ratio(elimination, p)
        without = {id(a.medicine): predicted_ratio(elimination, p, a.medicine) for e in elimination for a in e.actions}
        hazard = "exposure-increase" if ratio >= 1 else "exposure-decrease"
        net = Change(victim, tuple(elimination), ratio, hazard, _material(elimination, ratio, without))
        yield net
        yield from _masked(net, elimination)
    if any(e.actions for e in activation):
        left = remaining_activation(activation, p)
        without = {
            id(a.medicine): remaining_activation(activation, p, a.medicine) for e in activation for a in e.actions
        }
        hazard = "prodrug-failure" if left < 1 else "exposure-increase"
        yield Change(victim, tuple(activation), left, hazard, _material(activation, left, without))
    for item in exits:
        if item.pathway.kind == "absorption" and item.actions:
            left = remaining_absorption(item)
            without = {id(a.medicine): remaining_absorption(item, a.medicine) for a in item.actions}
            yield Change(victim, (item,), left, item.pathway.hazard_decrease, _material([item], left, without))


def _against(change: Change) -> tuple[Action, ...]:
    """Those of the actors who work against the net change: inducers where exposure rises, inhibitors where it falls."""
    return tuple(a for a in change.actors if a.modulator.induces == change.increase)


def _causes(change: Change) -> tuple[Action, ...]:
    """Those of the actors whose effect the change is: all of them on absorption or activation."""
    first = change.exits[0]
    against = () if first.pathway.kind == "absorption" or first.edge.activation else _against(change)
    return tuple(a for a in change.actors if a not in against) or change.actors


def _masked(net: Change, exits: list[Exit]) -> Iterator[Change]:
    """The change the other way that a net change hides: it stands in full once the one that masks it is stopped."""
    against = _against(net)
    if not against or len(against) == len(net.actors):
        return
    alone = [replace(e, actions=tuple(a for a in e.actions if a.modulator.induces == net.increase)) for e in exits]
    ratio = predicted_ratio(alone, net.victim.parenteral)
    hazard = "exposure-decrease" if net.increase else "exposure-increase"
    masking = tuple(a for a in net.actors if a not in against)
    yield Change(net.victim, tuple(alone), ratio, hazard, against, masking)


def _rank(context: Context, change: Change) -> Severity:
    drug, policy = change.victim.drug, context.policy
    if change.increase:
        by_ratio = _severity(policy.exposure_increase[drug.toxicity_margin], change.ratio, True)
    else:
        by_ratio = _severity(policy.exposure_decrease[drug.efficacy_margin], change.ratio, False)
    named = {a.medicine.id for a in change.actors}
    inhibits = change.increase or change.hazard == "prodrug-failure"
    by_label = _label_severity(change.exits, named, inhibits, not change.victim.new)
    # A label speaks of the perpetrator alone; when the net change is the other way round it no longer applies.
    return max(by_ratio, by_label) if by_ratio or (by_label and _agrees(change)) else by_ratio


def _agrees(change: Change) -> bool:
    if change.hazard in ("prodrug-failure", "absorption-decrease") or change.exits[0].pathway.kind == "absorption":
        return True
    return change.ratio >= 1.1 if change.increase else change.ratio <= 0.9


def _names(actions: Iterable[Action]) -> list[str]:
    return sorted({a.medicine.drug.name for a in actions})


def _listed(names: list[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"


def _does(names: list[str], verb: str) -> str:
    """Names with what they do.

    >>> _does(["rifampicin"], "lower"), _does(["fluconazole", "diltiazem"], "raise")
    ('rifampicin lowers', 'fluconazole and diltiazem raise')
    """
    return f"{_listed(names)} {verb}{'' if len(names) > 1 else 's'}"


def _summary(change: Change, beside: Beside | None) -> str:
    """What is done to the victim by whom; who works against it is told as that."""
    victim, names = change.victim.drug.name, _names(change.actors)
    if change.hazard == "prodrug-failure":
        return f"{_does(names, 'block')} the activation of {victim}"[:139]
    size = f"exposure about {change.ratio:.1f}-fold" if change.increase else f"exposure to about {change.ratio:.0%}"
    size += "; the dose fits that" if beside is not None and beside.fits else ""
    absorbed = change.exits[0].pathway.kind == "absorption"
    against = [] if absorbed else _names(_against(change))
    verb, other = ("raise", "lower") if change.increase else ("lower", "raise")
    with_it = [name for name in names if name not in against]
    if not against or not with_it:
        return f"{_does(names, verb)} {victim} {size}"[:139]
    whole = f"{_does(with_it, verb)} {victim} {size}, although {_does(against, other)} it"
    return whole if len(whole) < 140 else f"{_does(with_it, verb)} {victim} {size}"[:139]


def _masks(change: Change) -> tuple[str, ...]:
    """Who hides the change at present, and when it shows."""
    if not change.opposed_by:
        return ()
    verb = "lower" if change.increase else "raise"
    return (f"{_does(_names(change.opposed_by), verb)} it at present: this holds in full when that is stopped.",)


def _finding(context: Context, change: Change, severity: Severity) -> Finding:
    victim = change.victim
    named = {a.medicine.id for a in change.actors}
    names = _names(change.actors)
    beside = _beside(context, change)
    touched = [e for e in change.exits if any(a.medicine.id in named for a in e.actions)]
    advice = [line for e in touched for line in _told_of(e, {a.medicine.id for a in _causes(change)})]
    citations = [c for e in touched for c in e.edge.sources]
    sources = list(context.index.cite(citations, victim.drug))
    for action in change.actors:
        sources += context.index.cite(action.modulator.sources, action.medicine.drug)
    words = _advice(context, change)
    pathway_names = list(dict.fromkeys(e.pathway.name for e in touched))
    measure = "activation-left" if change.hazard == "prodrug-failure" else "auc-ratio"
    return Finding(
        kind="interaction",
        hazard=change.hazard,
        severity=min(severity, beside.leaves) if beside is not None and beside.fits else severity,
        drugs=(victim.id, *sorted(named)),
        orders=tuple(sorted({victim.order, *(a.medicine.order for a in change.actors)})),
        summary=_summary(change, beside),
        key=("exposure", change.hazard, victim.id),
        consequence=words.consequence,
        mechanism=f"{', '.join(pathway_names)}: "
        + "; ".join(
            f"{a.medicine.drug.name} is a {a.modulator.strength} {'inducer' if a.modulator.induces else 'inhibitor'}"
            for a in change.actors
        ),
        path=_path(victim, change.exits, named),
        magnitude=Magnitude(measure, round(change.ratio, 2), "predicted", _classed(change.ratio)),
        management=tuple(dict.fromkeys(advice)) or words.management,
        monitoring=tuple(m.what for m in victim.drug.monitoring[:2]),
        modifiers=(*((beside.words,) if beside is not None else ()), *_masks(change), *_times(change.exits, named)),
        evidence="Predicted from contribution, inhibition and induction ratios; class rather than exact size.",
        sources=tuple(dict.fromkeys(sources)),
        rule=f"pathway:{victim.id}",
        easiest_to_change=names[0] if names else "",
    )


def _told_of(exit_: Exit, named: set[str]) -> tuple[str, ...]:
    """What the victim's record says of what acts on one of its pathways: of inhibitors, of inducers, or of both."""
    induces = {a.modulator.induces for a in exit_.actions if a.medicine.id in named}
    edge = exit_.edge
    return (
        *(edge.advice_inhibited if False in induces else ()),
        *(edge.advice_induced if True in induces else ()),
        *edge.advice,
    )


def _advice(context: Context, change: Change) -> Guidance:
    """What is said of a change in exposure; each drug's own advice stands in the place of the management."""
    kind = change.hazard
    if kind != "prodrug-failure":
        absorbed = change.exits[0].pathway.kind == "absorption"
        of_gut = "absorption-loss" if change.hazard == "absorption-decrease" else "acid-loss"
        loss = of_gut if absorbed else "exposure-decrease"
        kind = "exposure-increase" if change.increase else loss
    return advice_for(context, kind, drug=change.victim.drug.name)


def _concerned(context: Context, victim: Medicine, acting: Acting, by_focus: frozenset[str]) -> bool:
    """Whether anything acts on a pathway of this victim; with an order in focus, whether that one does or suffers it."""
    focus = context.focus
    asked = acting if focus is None or victim.order == focus.order else by_focus
    return any(edge.pathway in asked for edge in victim.drug.substrate_of)


def find(context: Context) -> Iterator[Finding | Notice]:
    """Exposure changes of every victim in the case."""
    acting = acting_on(context)
    focus = context.focus
    by_focus = frozenset(m.pathway for m in focus.drug.modulates) if focus is not None else frozenset()
    for victim in context.active:
        if not victim.systemic or not _concerned(context, victim, acting, by_focus):
            continue
        for change in _changes(context, victim, acting):
            # What the parts of one product do to each other is what it was made for.
            others = any(a.medicine.order != victim.order for a in change.actors)
            if others and context.in_focus(victim, *(a.medicine for a in change.actors)):
                severity = _rank(context, change)
                # A slight change that does not show at present is not worth telling.
                if severity >= (Severity.MODERATE if change.opposed_by else Severity.LOW):
                    yield _finding(context, change, severity)
