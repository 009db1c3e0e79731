"""A weak opioid by the clock beside a strong one is told; rescue doses and one opioid alone are not."""

from __future__ import annotations

from typing import Any

import pytest

from medsafe.context.engine import Engine
from tests.builders import ask, order, severity

MORPHINE = order("morphine", 30, times_per_day=2, form="modified-release tablet")


@pytest.mark.parametrize(
    ("weak", "expected"),
    [
        (order("codeine", 30, times_per_day=4), "moderate"),
        (order("tramadol", 50, times_per_day=4), "moderate"),
        (order("codeine", 30, times_per_day=None, prn=True, max_times_per_day=4), "none"),
        (order("morphine", 10, times_per_day=None, prn=True, max_times_per_day=4), "none"),
    ],
)
def test_a_regular_weak_opioid_beside_a_strong_one_is_a_duplicate(
    engine: Engine, weak: dict[str, Any], expected: str
) -> None:
    shown = ask(engine, MORPHINE, weak)
    assert severity(shown, "duplicate-therapy", "morphine", weak["drug"]) == expected


def test_a_weak_opioid_alone_is_no_duplicate(engine: Engine) -> None:
    assert severity(ask(engine, order("codeine", 30, times_per_day=4)), "duplicate-therapy", "codeine") == "none"
