"""How much it matters to a medicine that something which changed its clearance comes or goes."""

from __future__ import annotations

from medsafe.context.context import Context
from medsafe.model.drugs import Modulator, Substrate
from medsafe.model.knowledge import Pathway
from medsafe.model.medicine import Medicine
from medsafe.model.statements import Severity

# No inhibitor takes away more than this of a clearance.
STRONGEST = 0.95


def full_ratio(edge: Substrate, modulator: Modulator, parenteral: bool) -> float:
    """AUC ratio that the perpetrator caused while it was taken."""
    share = edge.share_parenteral if parenteral and edge.share_parenteral is not None else edge.share
    if modulator.induces:
        return 1.0 / (1.0 + share * modulator.ratio)
    return 1.0 / (1.0 - min(share * modulator.ratio, STRONGEST))


def severity_of_drift(
    context: Context, victim: Medicine, ratio: float, edge: Substrate, modulator: Modulator
) -> Severity:
    """How much it matters that exposure becomes `ratio` times what the dose was titrated to.

    Where the victim's label names perpetrators of this strength, losing one is at least worth watching, and worth
    knowing of a victim with a wide margin.
    """
    role = "inducer" if modulator.induces else "inhibitor"
    margin = victim.drug.toxicity_margin if ratio >= 1 else victim.drug.efficacy_margin
    most = Severity.LOW if margin == "wide" else Severity.MODERATE
    by_label = min(most, edge.at_strength.get(f"{modulator.strength}-{role}", Severity.NONE))
    if ratio >= 1:
        table = context.policy.exposure_increase[victim.drug.toxicity_margin]
        return max((s for bound, s in table if ratio >= bound), default=by_label)
    table = context.policy.exposure_decrease[victim.drug.efficacy_margin]
    return max((s for bound, s in table if ratio <= bound), default=by_label)


def could_vary(context: Context, victim: Medicine, edge: Substrate, pathway: Pathway) -> bool:
    """Whether some genotype of a pathway would change the exposure of a victim, or its activation, enough to be told."""
    policy, drug = context.policy, victim.drug
    share = edge.share_parenteral if victim.parenteral and edge.share_parenteral is not None else edge.share
    increase, decrease = policy.exposure_increase[drug.toxicity_margin], policy.exposure_decrease[drug.efficacy_margin]
    for activity in pathway.genotype_activity.values():
        cleared = 1.0 - share * (1.0 - activity)
        ratio = cleared if edge.activation else 1.0 / cleared
        if any(ratio >= bound for bound, _ in increase) or any(ratio <= bound for bound, _ in decrease):
            return True
    return False


def could_drift(context: Context, victim: Medicine) -> bool:
    """Whether the end of some strong inhibitor would matter to a victim that is taken already."""
    if victim.new:
        return False
    table = context.policy.exposure_decrease[victim.drug.efficacy_margin]
    for edge in victim.drug.substrate_of:
        if not edge.activation and context.index.knowledge.pathways[edge.pathway].kind != "absorption":
            left = 1.0 - edge.share * STRONGEST
            if max((s for bound, s in table if left <= bound), default=Severity.NONE) >= Severity.MODERATE:
                return True
    return False
