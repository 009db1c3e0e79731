"""Strengths in which a drug is sold, from the coded products: what a dose can be made of where a record lists none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from medsafe.identity.resolution import CodeEntry
from medsafe.model.drugs import Strength
from medsafe.model.vocabulary import MASS_MG

# Forms that are counted whole; of liquids and injections the concentration says nothing of a dose.
WHOLE = ("tablet", "capsule")


def oral_strengths(products: Iterable[CodeEntry]) -> Mapping[str, tuple[Strength, ...]]:
    """Strengths of oral tablets and capsules of one ingredient, by drug id.

    Parameters
    ----------
    products: what the codes of products mean, as the name index knows them.
    """
    found: dict[tuple[str, str, str], set[float]] = {}
    for product in products:
        strength = product.components[0].strength if len(product.components) == 1 else None
        if product.route != "oral" or not (product.form or "").endswith(WHOLE) or strength is None:
            continue
        if strength.unit in MASS_MG and strength.per_unit is None:
            form = "modified-release tablet" if (product.form or "").startswith("modified-release") else "tablet"
            found.setdefault((product.components[0].drug_id, form, strength.unit), set()).add(strength.value)
    by_drug: dict[str, list[Strength]] = {}
    for (drug, form, unit), values in sorted(found.items()):
        by_drug.setdefault(drug, []).append(Strength("oral", form, tuple(sorted(values)), unit))
    return {drug: tuple(listed) for drug, listed in by_drug.items()}
