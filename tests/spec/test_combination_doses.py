"""A combination product ordered by one number: the sum of its parts, or one of them."""

from __future__ import annotations

import pytest

from medsafe.context.engine import Engine
from medsafe.context.intake import Reader
from medsafe.model.case import DrugRef, Order


def doses(engine: Engine, name: str, dose: float, unit: str = "mg") -> dict[str, float | None]:
    order = Order("regimen.0", DrugRef(name=name), dose=dose, unit=unit, route="oral", times_per_day=2)
    reader = Reader(engine.index, engine.names, None)
    return {m.id: m.single_dose for m in reader.medicines(order)}


@pytest.mark.parametrize(
    ("name", "dose", "expected"),
    [
        ("co-trimoxazole", 960, {"sulfamethoxazole": 800, "trimethoprim": 160}),
        ("co-trimoxazole", 480, {"sulfamethoxazole": 400, "trimethoprim": 80}),
        ("co-careldopa", 125, {"carbidopa": 25, "levodopa": 100}),
        ("Percocet", 10, {"oxycodone": 10, "paracetamol": 325}),
    ],
)
def test_the_sum_or_one_part_names_the_product(
    engine: Engine, name: str, dose: float, expected: dict[str, float]
) -> None:
    assert doses(engine, name, dose) == expected


def test_a_dose_that_is_the_other_part_is_not_read_as_opioid(engine: Engine) -> None:
    assert doses(engine, "co-codamol", 500) == {"codeine": None, "paracetamol": 500}
