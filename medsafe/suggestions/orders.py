"""Orders that were worked out: read as medicines, and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from medsafe.context.derive import Derived
from medsafe.context.engine import Engine
from medsafe.context.intake import Reader
from medsafe.model.case import DrugRef, Order
from medsafe.model.drugs import Drug
from medsafe.model.medicine import Medicine

ORDER_KEYS = ("dose", "unit", "route", "form", "times_per_day", "interval_h", "max_times_per_day", "prn")


def as_ordered(drug: Drug, order: Mapping[str, Any], derived: Derived, engine: Engine, ref: str) -> Medicine | None:
    """An order that was worked out, read as one that is newly written; None where it can't be read."""
    given = Order(ref=ref, drug=DrugRef(name=drug.name), **{k: order[k] for k in ORDER_KEYS if k in order})
    reader = Reader(engine.index, engine.names, derived.context.case.as_of)
    return next((replace(m, new=True) for m in reader.medicines(given) if m.id == drug.id), None)


def daily_shown(medicine: Medicine, order: Mapping[str, Any]) -> dict[str, Any] | None:
    """The daily dose of an order as it is shown; of a patch its rate, of what is given more than a day apart none."""
    if order["unit"] == "mcg/h":
        return {"value": order["dose"], "unit": "mcg/h"}
    if medicine.daily_dose is None or (order.get("interval_h") or 0) > 24:
        return None
    return {"value": round(medicine.daily_dose, 4), "unit": medicine.drug.dose_unit}
