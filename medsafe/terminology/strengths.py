"""Strengths in which a drug is sold, from the products that RxNorm codes: what a dose can be made of where a record lists none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from medsafe.model.knowledge import Strength
from medsafe.terminology import tables

AMOUNT = re.compile(r"(\d+(?:\.\d+)?) (mg|mcg|g)")
# Forms that are counted whole; of liquids and injections the concentration says nothing of a dose.
WHOLE = ("tablet", "capsule")


def oral_strengths(formulary_dir: Path) -> Mapping[str, tuple[Strength, ...]]:
    """Strengths of oral tablets and capsules of one ingredient, by drug id, form and unit.

    Parameters
    ----------
    formulary_dir: the folder of the tables. A missing table gives nothing, and is told where names are read.
    """
    found: dict[tuple[str, str, str], set[float]] = {}
    for _, row in tables.rows(formulary_dir, tables.RXNORM_PRODUCTS, tables.RXNORM_PRODUCT_COLUMNS, []):
        amount = AMOUNT.fullmatch(row["strengths"])
        if amount and ";" not in row["ingredients"] and row["route"] == "oral" and row["form"].endswith(WHOLE):
            form = "modified-release tablet" if row["form"].startswith("modified-release") else "tablet"
            found.setdefault((row["ingredients"], form, amount[2]), set()).add(float(amount[1]))
    by_drug: dict[str, list[Strength]] = {}
    for (drug, form, unit), values in sorted(found.items()):
        by_drug.setdefault(drug, []).append(Strength("oral", form, tuple(sorted(values)), unit))
    return {drug: tuple(listed) for drug, listed in by_drug.items()}
