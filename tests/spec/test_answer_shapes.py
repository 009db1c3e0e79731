"""Answers have the shapes that `/openapi.json` describes, and hold nothing that it does not."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from medsafe.context.engine import Engine
from medsafe.service import answer
from medsafe.web.conversion import conversion_answer
from medsafe.web.docs import openapi
from tests.spec.test_left_out import some_case
from tests.test_cases import CASES

FENTANYL = {"drug": "fentanyl", "dose": 50, "unit": "mcg/h", "route": "transdermal", "form": "patch", "interval_h": 72}
MORPHINE = {
    "drug": "morphine",
    "dose": 60,
    "unit": "mg",
    "route": "oral",
    "form": "modified-release",
    "times_per_day": 2,
}
RESCUE = {"drug": "morphine", "dose": 20, "unit": "mg", "route": "oral", "prn": True, "doses_last_24h": 3}


def against(name: str) -> Draft202012Validator:
    document = openapi()
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def faults(name: str, shown: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in against(name).iter_errors(shown)]


def texts(shown: Any) -> Iterator[str]:
    if isinstance(shown, str):
        yield shown
    elif isinstance(shown, dict | list):
        for part in shown.values() if isinstance(shown, dict) else shown:
            yield from texts(part)


def untidy(shown: dict[str, Any]) -> list[str]:
    """Texts with a place that was not filled in, or with the program's word for nothing."""
    return [text for text in texts(shown) if re.search(r"[{}]|\bNone\b|\bnan\b|\binf\b|  ", text)]


def test_every_shape_is_closed_and_a_key_that_is_not_described_is_a_fault(engine: Engine) -> None:
    shown = answer({"as_of": "2026-11-23", "patient": {}, "regimen": [MORPHINE]}, engine)
    assert faults("Review", shown) == []
    assert faults("Review", {**shown, "mood": "good"})
    assert faults("Review", {**shown, "findings": [{**shown["findings"][0], "mood": "good"}]})


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_the_answer_to_a_case_has_the_described_shape(engine: Engine, path: Any) -> None:
    shown = answer(tomllib.loads(path.read_text())["request"], engine)
    assert faults("Review", shown) == []
    assert untidy(shown) == []


@pytest.mark.parametrize("seed", range(6))
def test_the_answer_to_a_generated_patient_has_the_described_shape(engine: Engine, seed: int) -> None:
    shown = answer(some_case(engine, seed), engine)
    assert faults("Review", shown) == []
    assert untidy(shown) == []


@pytest.mark.parametrize(
    ("taken", "to"),
    [
        ([MORPHINE], {"drug": "oxycodone", "route": "oral"}),
        ([MORPHINE, RESCUE], {"drug": "hydromorphone", "route": "oral"}),
        ([MORPHINE], {"drug": "fentanyl", "route": "transdermal"}),
        ([MORPHINE], {"drug": "methadone", "route": "oral"}),
        ([FENTANYL], {"drug": "morphine", "route": "oral"}),
        ([{"drug": "methadone", "dose": 10, "unit": "mg", "route": "oral", "times_per_day": 2}], {"drug": "morphine"}),
        ([MORPHINE], {"drug": "no such drug", "route": "oral"}),
        ([{"drug": "morphine"}], {"drug": "oxycodone", "route": "oral"}),
    ],
)
def test_a_conversion_done_or_refused_has_the_described_shape(
    engine: Engine, taken: list[dict[str, Any]], to: dict[str, Any]
) -> None:
    body = {"from": taken, "to": {"route": "oral", **to}, "patient": {"age_years": 66}, "as_of": "2026-11-23"}
    assert faults("Converted", conversion_answer(body, engine)) == []
