"""The decoder and the schema it is derived from are one reading of a body."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError, fields

from medsafe.decoder import Doubt, Loader, Tolerant
from medsafe.library.problems import flatten
from medsafe.request import CASE_SCHEMA, CASES, as_case, read_body, unknown_keys

CASE_FILES = sorted((Path(__file__).resolve().parents[1] / "cases").rglob("*.toml"))
BODIES = [tomllib.loads(path.read_text(encoding="utf-8"))["request"] for path in CASE_FILES]
EXAMPLE: dict[str, Any] = {
    "as_of": "2026-11-23",
    "patient": {
        "age_years": 67,
        "sex": "female",
        "weight_kg": 48,
        "creatinine": {"value": 168, "unit": "umol/L", "taken_on": "2026-11-20"},
        "bilirubin": {"value": 0.6, "unit": "mg/dL", "upper_limit": 1.2},
        "potassium": 4.1,
        "dialysis": "none",
        "conditions": ["neuropathy", {"system": "icd-10", "code": "C50"}],
        "allergies": ["latex", {"substance": "penicillin", "reaction": "anaphylaxis"}],
        "genotypes": {"CYP2D6": "poor"},
        "smoking": {"status": "stopped", "days_ago": 5},
    },
    "goals": {"intent": "comfort", "documented": True, "prognosis": "weeks", "priorities": ["alertness"]},
    "symptoms": [{"name": "pain", "score": 7}],
    "regimen": [
        {"drug": "morphine", "dose": 30, "unit": "mg", "route": "PO", "times_per_day": 2, "prn": False},
        {"drug": "co-codamol", "components": ["codeine", "paracetamol"], "strength": "30/500", "dose": 2},
    ],
    "new_orders": [{"drug": {"system": "rxnorm", "code": "21212"}, "dose": 500, "replaces": "regimen.0"}],
    "recently_stopped": [{"drug": "fluoxetine", "days_ago": 10, "taken_for_days": 180, "started_on": "2026-01-01"}],
    "history": [{"drug": "gabapentin", "outcome": "not-tolerated", "detail": "sedation"}],
    "opioid_table": "cdc-2022",
}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        [0, -1, 10**400, -(10**400), 1e308, 5e-324, float("nan"), float("inf"), -0.0, "7", "", " ", "x" * 501]
    ),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["oral", "none", "2026-02-30", "2026-02-28", "regimen.0", "regimen.9", "comfort", b"oral"]),
)
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "unit", "drug", "system", "code", "name", "text", "dose"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["value", "dose", "drug", "prn", "score", "as_of", "conditions", "patient", "smoking", "nonsense", "unit"]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@st.composite
def bodies(draw: Callable[..., Any]) -> Any:
    """A good body in which a few things were replaced, removed or added."""
    body: Any = copy.deepcopy(draw(st.sampled_from([EXAMPLE, *BODIES])))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(places(body)))
        if not path:
            body = draw(GARBAGE) if draw(st.integers(0, 9)) == 0 else body
            continue
        holder = body
        for key in path[:-1]:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()):
            holder[draw(KEYS)] = draw(GARBAGE)
        elif draw(st.booleans()):
            holder[path[-1]] = draw(GARBAGE)
        else:
            del holder[path[-1]]
    return body


def outcome(load: Callable[[Any], Any], body: Any) -> tuple[str, Any]:
    try:
        return "loaded", load(body)
    except ValidationError as error:
        return "refused", error.messages


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies())
def test_the_loader_accepts_refuses_and_complains_exactly_as_the_schema_does(body: Any) -> None:
    assert outcome(CASES.load, body) == outcome(CASE_SCHEMA.load, body)
    by_schema = outcome(lambda given: as_case(CASE_SCHEMA.load(given)), body)
    assert outcome(read_body, body) == by_schema
    assert repr(outcome(read_body, body)) == repr(by_schema), (
        "equal is not enough: 1 and True are, and print differently"
    )


def test_the_decoder_reads_every_case_without_asking_the_schema() -> None:
    assert BODIES
    for body in (EXAMPLE, *BODIES):
        assert CASES.decode(body) == CASE_SCHEMA.load(body)


def test_what_was_left_out_is_a_new_object_for_each_body() -> None:
    first, second = CASES.decode({"regimen": [{"drug": "a"}]}), CASES.decode({"regimen": [{"drug": "a"}]})
    assert first["new_orders"] is not second["new_orders"]
    assert first["regimen"][0]["components"] is not second["regimen"][0]["components"]


@pytest.mark.parametrize("wrong", [True, "5", float("nan"), 10**400, [5], {"value": 5}])
def test_a_decoder_vouches_for_no_number_that_is_not_one(wrong: Any) -> None:
    class Score(Tolerant):
        score = fields.Float()

    with pytest.raises((Doubt, OverflowError)):
        Loader(Score()).decode({"score": wrong})


def test_a_schema_beyond_the_decoder_is_refused_when_it_is_derived() -> None:
    class Renamed(Tolerant):
        from_ = fields.String(data_key="from")

    class Numbers(Tolerant):
        scores = fields.Dict(keys=fields.String(), values=fields.Float())

    for schema in (Renamed(), Numbers()):
        with pytest.raises(TypeError):
            Loader(schema)


def test_every_key_that_is_not_of_the_contract_is_told_wherever_it_stands() -> None:
    body = {
        "x": 1,
        "patient": {
            "creatinine": {"value": 80, "unit": "umol/L", "lab": "a"},
            "smoking": {"status": "never", "packs": 2},
            "allergies": [{"substance": "latex", "severity": "mild"}],
            "conditions": ["asthma", {"text": "asthma", "onset": "2020"}],
            "genotypes": {"CYP2D6": "poor"},
        },
        "symptoms": [{"name": "pain", "severity": 8}],
        "history": [{"drug": {"system": "rxnorm", "code": "1", "strength": "5 mg"}, "outcome": "helped"}],
        "regimen": [{"drug": "morphine", "frequency": "bd"}],
    }
    assert [n.field for n in unknown_keys(body)] == [
        "history.0.drug.strength",
        "patient.allergies.0.severity",
        "patient.conditions.1.onset",
        "patient.creatinine.lab",
        "patient.smoking.packs",
        "regimen.0.frequency",
        "symptoms.0.severity",
        "x",
    ]


@pytest.mark.parametrize(
    ("written", "route"),
    [
        ("p.o.", "oral"),
        ("s/c", "subcutaneous"),
        ("Oral route", "oral"),
        ("intravenously", "intravenous"),
        ("PEJ", "jejunostomy tube"),
        ("syringe driver", "subcutaneous infusion"),
        ("neb", "inhaled"),
        ("IT", "intrathecal"),
    ],
)
def test_a_route_is_read_as_people_write_it(written: str, route: str) -> None:
    assert read_body({"regimen": [{"drug": "morphine", "route": written}]}).regimen[0].route == route


def test_an_order_that_replaces_none_is_told_beside_every_other_error() -> None:
    body = {"regimen": [{"dose": "x"}], "new_orders": [{"drug": "a", "replaces": "regimen.7"}, {"drug": 5}, "b"]}
    with pytest.raises(ValidationError) as refused:
        CASES.load(body)
    assert {path for path, _ in flatten(refused.value.messages)} == {
        "regimen[0].drug",
        "regimen[0].dose",
        "new_orders[1].drug",
        "new_orders[2]",
        "new_orders.0.replaces",
    }
