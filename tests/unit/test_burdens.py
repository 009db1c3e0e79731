"""How weights that add to one harm make its score, and how a score becomes a severity."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medsafe.checks.burdens import combined, severity_of
from medsafe.context.engine import Engine
from medsafe.model.knowledge import Effect
from medsafe.model.statements import Severity


@pytest.fixture
def effect(engine: Engine) -> Effect:
    return engine.knowledge.effects["qt-prolongation"]


@pytest.mark.parametrize(
    ("way", "weights", "score"),
    [
        ("sum", [3.0, 2.0, 1.0], 6.0),
        ("sum", [], 0.0),
        ("max", [3.0, 2.0, 1.0], 3.0),
        ("max", [0.5], 0.5),
        ("max", [], 0.0),
        ("max-plus-one", [3.0, 2.0, 1.0], 5.0),
        ("max-plus-one", [0.5], 0.5),
        ("max-plus-one", [], 0.0),
    ],
)
def test_weights_are_combined_as_the_effect_says(effect: Effect, way: str, weights: list[float], score: float) -> None:
    assert combined(replace(effect, combine=way), weights) == score


@pytest.mark.parametrize(
    ("score", "drugs", "heaviest", "severity"),
    [
        (1.9, 2, 1.0, Severity.NONE),
        (2.0, 2, 1.0, Severity.LOW),
        (2.0, 1, 1.0, Severity.NONE),
        (4.0, 2, 1.9, Severity.LOW),
        (4.0, 2, 2.0, Severity.HIGH),
        (9.0, 2, 3.0, Severity.HIGH),
    ],
)
def test_a_threshold_asks_for_its_score_its_number_of_drugs_and_its_heaviest(
    effect: Effect, score: float, drugs: int, heaviest: float, severity: Severity
) -> None:
    threshold = effect.thresholds[0]
    told = replace(
        effect,
        thresholds=(
            replace(threshold, severity=Severity.HIGH, score=4.0, min_drugs=2, min_heaviest=2.0),
            replace(threshold, severity=Severity.LOW, score=2.0, min_drugs=2, min_heaviest=0.0),
        ),
    )
    assert severity_of(told, score, drugs, heaviest) is severity
