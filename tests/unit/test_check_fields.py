"""Promises of what a finding of each check carries."""

from __future__ import annotations

from medsafe.context.engine import Engine
from tests.builders import ask, order


def test_a_dose_above_its_limit_names_every_order_of_the_drug(engine: Engine) -> None:
    shown = ask(engine, order("paracetamol", 1000, times_per_day=4), order("paracetamol", 500, times_per_day=2))
    finding = next(f for f in shown["findings"] if f["hazard"] == "max-dose-exceeded")
    assert sorted(finding["orders"]) == ["regimen.0", "regimen.1"]
