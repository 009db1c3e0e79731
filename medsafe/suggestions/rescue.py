"""The rescue dose beside a regular order: in step with it, fitted to the organs, and within what the day still allows."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from medsafe.context.derive import Derived
from medsafe.context.engine import Engine
from medsafe.model.drugs import Drug
from medsafe.model.vocabulary import MASS_MG
from medsafe.opioids.conversion import Target, daily_of, round_down, strengths_of
from medsafe.suggestions.options import bands_of, fitted
from medsafe.suggestions.orders import as_ordered

# An order worked out for a patient, and what was changed about it.
Fitted = tuple[dict[str, Any] | None, tuple[str, ...]]


def rescue_beside(
    derived: Derived,
    engine: Engine,
    planned: Mapping[str, Any],
    given: Mapping[str, Any],
    rescue: Mapping[str, Any] | None,
    drug: Drug,
    follows: bool = True,
) -> Fitted:
    """The rescue dose that goes with a regular order as it is given.

    Parameters
    ----------
    planned, given: the regular order of `drug` before and after it was fitted to the organs. rescue: the one planned.
    follows: whether the rescue dose goes by the new regular dose, and so falls with it.
    """
    if rescue is None:
        return None, ()
    order, notes = _in_step(engine, planned, given, rescue) if follows else (dict(rescue), ())
    for step in (_fitting, _within_the_day):
        if order is not None:
            order, more = step(derived, engine, given, order, drug)
            notes = (*notes, *more)
    return order, notes


def _in_step(engine: Engine, planned: Mapping[str, Any], given: Mapping[str, Any], rescue: Mapping[str, Any]) -> Fitted:
    """Lowered by as much as the regular dose was; none where no real product is so small."""
    before, after = daily_of(planned), daily_of(given)
    if planned.get("unit") != given.get("unit") or after >= before:
        return dict(rescue), ()
    target = Target(engine.index.drugs[rescue["drug"]].drug, rescue["route"], "")
    dose = round_down(rescue["dose"] * after / before, strengths_of(target))
    if dose >= rescue["dose"]:
        return dict(rescue), ()
    if not dose:
        return None, (
            f"No rescue dose: {rescue['dose']:g} {rescue['unit']} would be too much, nothing smaller is made.",
        )
    text = f"Rescue dose lowered from {rescue['dose']:g} to {dose:g} {rescue['unit']} with the regular dose."
    return {**rescue, "dose": dose}, (text,)


def _fitting(derived: Derived, engine: Engine, given: Mapping[str, Any], rescue: dict[str, Any], drug: Drug) -> Fitted:
    """A single rescue dose no larger than this kidney and liver allow; how often stays with the policy."""
    medicine = as_ordered(engine.index.drugs[rescue["drug"]].drug, rescue, derived, engine, "rescue")
    if medicine is None:
        return rescue, ()
    order, notes = fitted(rescue, medicine, bands_of(derived.context, medicine))
    return order, tuple(f"Rescue: {note}" for note in notes)


def _within_the_day(
    derived: Derived, engine: Engine, given: Mapping[str, Any], rescue: dict[str, Any], drug: Drug
) -> Fitted:
    """No more rescue doses than the most of the same drug in a day leaves room for beside the regular ones."""
    limits = [
        x.max for x in drug.dose_limits if x.kind == "daily" and not (x.when or x.per_kg or x.per_m2 or x.scope.forms)
    ]
    mass = given["unit"].split("/")[0]
    if rescue["drug"] != drug.id or not limits or mass not in MASS_MG or given["unit"] == "mcg/h":
        return rescue, ()
    scale = MASS_MG[drug.dose_unit]
    room = min(limits) - daily_of(given) * MASS_MG[mass] / scale
    times = floor(room / (rescue["dose"] * MASS_MG[rescue["unit"]] / scale) + 1e-9)
    if times >= rescue["max_times_per_day"]:
        return rescue, ()
    why = f"{drug.name} is never given above {min(limits):g} {drug.dose_unit} a day"
    if times < 1:
        return None, (f"No rescue dose of {drug.name}: {why}; choose another opioid for it.",)
    return {**rescue, "max_times_per_day": times}, (f"At most {times} rescue doses a day: {why}.",)


__all__ = ["rescue_beside"]
