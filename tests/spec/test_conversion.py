"""Opioid conversion: the working is shown, one-way tables are not turned round, organ function is applied once."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from medsafe.context.derive import derive
from medsafe.context.engine import Engine
from medsafe.model.medicine import Medicine
from medsafe.opioids.base import conversion_base
from medsafe.request import read_body
from medsafe.suggestions.rescue import rescue_beside
from tests.builders import ask, body, order, patient, severity


def derived_medicines(engine: Engine, regimen: list[dict[str, Any]]) -> tuple[Medicine, ...]:
    return derive(read_body(body(*regimen)), engine).context.active


def convert(client: FlaskClient, source: list[dict[str, Any]], drug: str, route: str = "oral", **more: Any) -> Any:
    body = {
        "from": source,
        "to": {"drug": drug, "route": route, "form": more.pop("form", "")},
        "patient": more.pop("who", patient()),
        **more,
    }
    answer = client.post("/v1/opioids/convert", json=body)
    assert answer.status_code == 200, answer.data
    return answer.get_json()


MORPHINE_60 = [order("morphine", 30, times_per_day=2, form="modified-release tablet")]


def test_morphine_to_oxycodone_takes_a_quarter_off_and_shows_the_working(client: FlaskClient) -> None:
    shown = convert(client, MORPHINE_60, "oxycodone", form="modified-release tablet", reason="other")
    assert shown["ome_mg_per_day"] == pytest.approx(60)
    assert shown["equianalgesic_daily_dose"] == {"value": 40.0, "unit": "mg"}
    assert shown["reduction_percent"] == 25
    assert shown["suggested_daily_dose"]["value"] == pytest.approx(30)
    assert any("60 mg oral morphine" in line for line in shown["working"])


def test_toxicity_takes_half_off(client: FlaskClient) -> None:
    assert convert(client, MORPHINE_60, "oxycodone", reason="toxicity")["reduction_percent"] == 50


@pytest.mark.parametrize(("mg", "patch"), [(60, 25), (134, 25), (135, 50), (224, 50), (225, 75), (315, 100)])
def test_the_fentanyl_patch_goes_by_the_bands_of_its_one_way_table(
    client: FlaskClient, mg: float, patch: float
) -> None:
    source = [order("morphine", mg / 2, times_per_day=2, form="modified-release tablet")]
    shown = convert(client, source, "fentanyl", "transdermal", form="patch")
    assert (shown["orders"][0]["dose"], shown["orders"][0]["unit"]) == (patch, "mcg/h")
    assert shown["reduction_percent"] == 0


@pytest.mark.parametrize(
    ("mg", "ratio"), [(29, 2), (30, 4), (99, 4), (100, 8), (299, 8), (300, 12), (499, 12), (500, 15), (1000, 20)]
)
def test_methadone_goes_by_the_bands_of_its_ratio(client: FlaskClient, mg: float, ratio: float) -> None:
    shown = convert(client, [order("morphine", mg)], "methadone")
    assert shown["equianalgesic_daily_dose"]["value"] == pytest.approx(mg / ratio, abs=0.01)


def test_converting_away_from_methadone_is_refused_with_the_reason(client: FlaskClient) -> None:
    shown = convert(client, [order("methadone", 10, times_per_day=3)], "morphine")
    assert shown["orders"] == []
    assert any("one direction" in line for line in shown["working"])


def test_an_opioid_of_unknown_factor_is_not_converted(client: FlaskClient) -> None:
    shown = convert(client, [order("nalbuphine", 10, route="subcutaneous")], "morphine")
    assert shown["suggested_daily_dose"] is None
    assert shown["notices"]


def test_a_rescue_dose_comes_with_the_regular_one(client: FlaskClient) -> None:
    shown = convert(
        client,
        [order("morphine", 60, times_per_day=2, form="modified-release tablet")],
        "oxycodone",
        form="modified-release tablet",
    )
    rescue = shown["orders"][1]
    assert rescue["prn"] is True
    assert rescue["dose"] <= shown["suggested_daily_dose"]["value"] / 6


def test_the_target_is_put_through_the_checks(client: FlaskClient) -> None:
    who = patient(creatinine={"value": 400, "unit": "umol/L"})
    shown = convert(
        client, [order("oxycodone", 20, times_per_day=2, form="modified-release tablet")], "morphine", who=who
    )
    assert any(f["hazard"] == "renal-caution" for f in shown["findings"])


def test_a_naive_patient_is_not_converted_from_nothing(client: FlaskClient) -> None:
    answer = client.post("/v1/opioids/convert", json={"from": [], "to": {"drug": "morphine", "route": "oral"}})
    assert answer.status_code == 422


def rescue(doses: float | None = None, drug: str = "morphine", **more: Any) -> dict[str, Any]:
    taken = {} if doses is None else {"doses_last_24h": doses}
    return order(drug, 10, times_per_day=None, prn=True, max_times_per_day=6, form="immediate-release", **taken, **more)


@pytest.mark.parametrize(("doses", "counted"), [(0, 60), (1, 70), (6, 120), (7, 120), (None, 60)])
def test_rescue_doses_taken_are_converted_up_to_a_doubling_and_unknown_ones_are_not(
    client: FlaskClient, doses: float | None, counted: float
) -> None:
    shown = convert(client, [*MORPHINE_60, rescue(doses)], "oxycodone", form="modified-release tablet")
    assert shown["base"]["ome_mg_per_day"] == counted
    assert f"to convert: {counted} mg oral morphine a day ({shown['base']['counted']})" in shown["working"]


def test_the_working_names_each_order_that_was_counted_and_each_that_was_not(client: FlaskClient) -> None:
    lines = convert(client, [*MORPHINE_60, rescue(2), rescue(None, "oxycodone")], "hydromorphone")["working"]
    assert [line.split(":")[0] for line in lines[:3]] == [
        "counted, regular",
        "counted, as needed, taken in the last 24 h",
        "oxycodone as needed is not counted",
    ]


def test_rescue_doses_of_unknown_use_are_told_as_left_out(client: FlaskClient) -> None:
    shown = convert(client, [*MORPHINE_60, rescue()], "oxycodone")
    assert any(n["field"] == "from.1.doses_last_24h" and "not counted" in n["message"] for n in shown["notices"])
    assert shown["base"]["counted"] == "regular doses"


def test_in_toxicity_rescue_doses_are_not_carried_over(client: FlaskClient) -> None:
    shown = convert(client, [*MORPHINE_60, rescue(6)], "oxycodone", reason="toxicity")
    assert shown["base"] == {"ome_mg_per_day": 60, "counted": "regular doses"}


def test_as_needed_doses_alone_are_what_is_converted(client: FlaskClient) -> None:
    shown = convert(client, [rescue(4)], "oxycodone", reason="toxicity")
    assert shown["base"] == {"ome_mg_per_day": 40, "counted": "as-needed doses taken"}


def test_rapid_fentanyl_for_attacks_of_pain_is_not_converted(client: FlaskClient) -> None:
    rapid = order("fentanyl", 200, "mcg", None, "buccal", prn=True, max_times_per_day=4, doses_last_24h=4)
    assert convert(client, [*MORPHINE_60, rapid], "oxycodone")["base"]["ome_mg_per_day"] == 60


PATCH_50 = [order("fentanyl", 50, "mcg/h", route="transdermal", form="patch", interval_h=72)]


@pytest.mark.parametrize("table", [None, "fentanyl-label", "islhd", "cdc-2022", "palliative"])
def test_the_fentanyl_patch_is_left_by_its_own_factor_whatever_table_is_asked_for(
    client: FlaskClient, table: str | None
) -> None:
    """The label's table says 50 micrograms an hour for up to 224 mg; turned round it would give nearly twice as much."""
    shown = convert(client, PATCH_50, "morphine", form="modified-release tablet", table=table)
    assert shown["base"]["ome_mg_per_day"] == 120
    assert (shown["reduction_percent"], shown["suggested_daily_dose"]["value"]) == (50, 60)
    assert any("a factor for leaving it" in line for line in shown["working"])
    assert any("12 h later" in line and "24 h" in line for line in shown["changeover"])
    assert {"olhs-patch-guide", "fentanyl-label-one-way"} <= {s["id"] for s in shown["sources"]}


def test_without_a_factor_for_leaving_it_the_patch_is_refused_with_the_next_step(engine: Engine) -> None:
    """The way from a patch is a row of the data; the rows for adding up and for beginning it are no way back."""
    rows = tuple(r for r in engine.knowledge.conversion if r.direction != "away")
    patch = derived_medicines(engine, PATCH_50)
    base = conversion_base(patch, rows, ("palliative",), True, 1.0)
    assert base.ome_mg_per_day == 0
    assert "one direction only" in base.refused
    assert "Next step: ask" in base.refused


@pytest.mark.parametrize("route", ["oral", "subcutaneous", "intravenous"])
@pytest.mark.parametrize("beside", [[], MORPHINE_60])
def test_methadone_is_left_by_no_table_whatever_the_route_and_beside_whatever(
    client: FlaskClient, route: str, beside: list[dict[str, Any]]
) -> None:
    shown = convert(client, [order("methadone", 10, times_per_day=3, route=route), *beside], "morphine")
    assert shown["orders"] == []
    assert shown["base"] is None
    assert any(
        "away from methadone is refused" in n["message"] and "specialist" in n["message"] for n in shown["notices"]
    )


def test_no_rotation_away_from_methadone_is_suggested(engine: Engine) -> None:
    shown = ask(engine, order("methadone", 20, times_per_day=3), symptoms=[{"name": "bone pain", "score": 8}])
    assert not [s for s in shown["suggestions"] if s["action"] == "rotate"]
    assert any(s["action"] == "refer" and "methadone" in s["label"] for s in shown["suggestions"])


def test_a_rotation_suggested_counts_the_rescue_doses_taken(engine: Engine) -> None:
    morphine = order("morphine", 60, times_per_day=2, form="modified-release tablet")
    shown = ask(engine, morphine, rescue(4), symptoms=[{"name": "bone pain", "score": 8}])
    rotated = [s for s in shown["suggestions"] if s["action"] == "rotate"]
    assert rotated
    for item in rotated:
        assert "to convert: 160 mg oral morphine a day (regular doses and as-needed doses taken)" in item["reasons"]


@pytest.mark.parametrize(("mg", "name"), [(30, "none"), (60, "high")])
def test_a_conversion_that_counts_rescue_doses_is_no_mismatch_and_one_beyond_them_is(
    engine: Engine, mg: float, name: str
) -> None:
    """60 regular and 40 taken as needed: 1.3 times 100 is what a new opioid may come to."""
    new = order("oxycodone", mg, times_per_day=2, form="modified-release tablet", replaces="regimen.0")
    shown = ask(engine, *MORPHINE_60, rescue(4), new=[new])
    assert severity(shown, "opioid-conversion-error", "oxycodone") == name


def test_the_rescue_dose_falls_with_the_regular_dose_that_organ_function_lowers(engine: Engine) -> None:
    derived = derive(read_body(body(who=patient(creatinine={"value": 600, "unit": "umol/L"}))), engine)
    drug = engine.index.drugs["oxycodone"].drug
    planned = {"dose": 40.0, "unit": "mg", "route": "oral", "form": "modified-release tablet", "times_per_day": 2.0}
    short = {"drug": "oxycodone", "dose": 10.0, "unit": "mg", "route": "oral", "form": "immediate-release"}
    short |= {"prn": True, "max_times_per_day": 6}
    beside, notes = rescue_beside(derived, engine, planned, {**planned, "dose": 20.0}, short, drug)
    assert beside is not None
    assert beside["dose"] == 5
    assert notes[0] == "Rescue dose lowered from 10 to 5 mg with the regular dose."
    untouched, silent = rescue_beside(derived, engine, planned, planned, {**short, "dose": 5.0}, drug)
    assert untouched is not None
    assert (untouched["dose"], silent) == (5, ())


def test_rescue_doses_and_regular_doses_together_stay_within_the_most_of_a_day(client: FlaskClient) -> None:
    source = [order("morphine", 134, times_per_day=2, form="modified-release tablet")]
    shown = convert(client, source, "tapentadol", form="modified-release tablet")
    regular, short = shown["orders"]
    assert regular["dose"] * regular["times_per_day"] + short["dose"] * short["max_times_per_day"] <= 600
    assert any("rescue doses a day" in line for line in shown["working"])


def test_a_dose_beyond_the_most_of_the_target_is_refused_and_not_cut_down(client: FlaskClient) -> None:
    source = [order("morphine", 400, times_per_day=2, form="modified-release tablet")]
    shown = convert(client, source, "tapentadol", form="modified-release tablet")
    assert shown["orders"] == []
    assert any("choose another opioid" in n["message"] for n in shown["notices"])
