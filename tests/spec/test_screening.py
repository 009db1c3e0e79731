"""Screening an option from its own order gives what a whole review would say of it, at a fraction of the cost."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from medsafe.context.derive import derive
from medsafe.context.engine import Engine
from medsafe.context.intake import Reader
from medsafe.model.case import DrugRef, Order
from medsafe.request import CASE_SCHEMA, as_case
from medsafe.review import run_checks
from medsafe.suggestions.suggest import ADDS_NOTHING
from tests.builders import body
from tests.spec.test_properties import random_orders


@pytest.mark.parametrize("seed", range(30))
def test_a_focused_check_finds_what_a_whole_check_finds_for_that_order(engine: Engine, seed: int) -> None:
    orders = random_orders(engine, random.Random(seed), 9)
    case = as_case(CASE_SCHEMA.load(body(*orders[:-1])))
    context = derive(case, engine).context
    last = orders[-1]
    reader = Reader(engine.index, engine.names, None)
    given = Order(
        "suggestion",
        DrugRef(name=last["drug"]),
        dose=last["dose"],
        unit=last["unit"],
        route=last["route"],
        times_per_day=last["times_per_day"],
    )
    option = replace(next(iter(reader.medicines(given))), new=True)
    base, _ = run_checks(context)
    focused, _ = run_checks(context.with_option(option))
    whole, _ = run_checks(replace(context.with_option(option), focus=None))
    before = {f.key: f.severity for f in base}
    # In the whole an exposure may be told by a finding of the same drugs that is no less serious, and took it in.
    taken_in = {
        f.key
        for f in focused
        for w in whole
        if f.hazard in w.absorbs and set(f.drugs) <= set(w.drugs) and w.severity >= f.severity
    }
    # A standing burden keeps its severity when a drug joins it; an exposure is the net of all that act on it.
    joined = {
        f.key: f.severity if f.key[0] == "exposure" else max(f.severity, before.get(f.key, f.severity))
        for f in focused
        if "suggestion" in f.orders and f.key not in taken_in
    }
    assert joined == {f.key: f.severity for f in whole if "suggestion" in f.orders and f.hazard not in ADDS_NOTHING}
