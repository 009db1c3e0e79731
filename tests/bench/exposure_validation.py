"""Predicted against published AUC ratios: `python -m tests.bench.exposure_validation [--all]`.

The observed ratios are published studies; the predictions come from the service's own records. Both are set side by side
before any severity is given, so that a change too small to tell still counts with its number. Prints the share within
two-fold, the bias and every miss; with --all every pair.
"""

from __future__ import annotations

import csv
import math
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medsafe.checks import pathways
from medsafe.context.derive import derive
from medsafe.context.engine import Engine
from medsafe.interactions import ordinary_adult, usual_route
from medsafe.model.case import Case, DrugRef, Order
from medsafe.model.findings import Finding
from medsafe.model.statements import Severity
from medsafe.service import load_engine

ROOT = Path(__file__).resolve().parents[2]
OBSERVED = ROOT / "tests" / "fixtures" / "observed_auc_ratios.csv"


@dataclass(frozen=True, slots=True)
class Pair:
    """One study beside our prediction."""

    victim: str
    perpetrator: str
    pathway: str
    predicted: float
    observed: float

    @property
    def fold(self) -> float:
        return self.predicted / self.observed

    def __str__(self) -> str:
        told = f"predicted {self.predicted:.1f}, observed {self.observed:.1f}, {self.fold:.2f} of it"
        return f"  {self.victim} + {self.perpetrator} ({self.pathway}): {told}"


def telling_every_change(engine: Engine) -> Engine:
    """The same engine, for which no rise of exposure is too small to tell."""
    margins = engine.policy.exposure_increase
    return replace(
        engine, policy=replace(engine.policy, exposure_increase=dict.fromkeys(margins, ((0.0, Severity.LOW),)))
    )


def predicted(victim: str, perpetrator: str, engine: Engine) -> float:
    """AUC ratio of the victim; 1 where the records give no reason for a rise."""
    adult: Any = engine.knowledge.policy["ordinary_adult"]
    drugs = [engine.index.drugs[name].drug for name in (victim, perpetrator)]
    orders = [Order(f"regimen.{i}", DrugRef(name=d.name), route=usual_route(d)) for i, d in enumerate(drugs)]
    context = derive(Case(patient=ordinary_adult(adult), regimen=tuple(orders)), engine).context
    found = (f for f in pathways.find(context) if isinstance(f, Finding) and f.hazard == "exposure-increase")
    return next((f.magnitude.value for f in found if f.magnitude and f.drugs[0] == victim), 1.0)


def pairs(engine: Engine) -> tuple[list[Pair], int]:
    """Every study of drugs that are held, and how many others there are."""
    found, others = [], 0
    with OBSERVED.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            victim, perpetrator = row["victim"], row["perpetrator"]
            if victim == perpetrator or not {victim, perpetrator} <= engine.index.drugs.keys():
                others += 1
                continue
            ratio = predicted(victim, perpetrator, engine)
            found.append(Pair(victim, perpetrator, row["pathway"], ratio, float(row["observed_auc_ratio"])))
    return found, others


def main(arguments: list[str]) -> None:
    found, others = pairs(telling_every_change(load_engine(ROOT)))
    logs = [math.log(pair.fold) for pair in found]
    missed = [pair for pair in found if not 0.5 <= pair.fold <= 2]
    close = sum(1 / 1.5 <= pair.fold <= 1.5 for pair in found)
    error, bias = (math.exp(sum(values) / len(logs)) for values in (map(abs, logs), logs))
    print(
        f"{len(found)} pairs ({others} not held, or a drug on itself): {1 - len(missed) / len(found):.0%} within two-fold, "
        f"{close / len(found):.0%} within 1.5-fold, geometric mean fold error {error:.2f}, bias {bias:.2f}"
    )
    print("outside two-fold:", *missed, sep="\n")
    if "--all" in arguments:
        print("all:", *sorted(found, key=lambda pair: pair.fold), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
