"""What callers of the HTTP interface are promised, errors included."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from medsafe.model.vocabulary import ADDED_HAZARDS

EXAMPLE = json.loads(
    (__import__("pathlib").Path(__file__).resolve().parents[2] / "medsafe" / "examples" / "check.json").read_text()
)


def post(client: FlaskClient, body: Any, path: str = "/v1/check") -> tuple[int, Any]:
    answer = client.post(
        path, data=body if isinstance(body, bytes) else json.dumps(body), content_type="application/json"
    )
    return answer.status_code, answer.get_json(force=True)


def find(answer: Any, hazard: str, *drugs: str) -> Any:
    return next((f for f in answer["findings"] if f["hazard"] == hazard and set(drugs) <= set(f["drugs"])), None)


def test_the_example_finds_the_exposure_increase_with_its_path(client: FlaskClient) -> None:
    status, answer = post(client, EXAMPLE)
    assert status == 200
    finding = find(answer, "exposure-increase", "fentanyl", "clarithromycin")
    assert finding["severity"] in ("high", "critical")
    assert finding["new"] is True
    steps = {(s["from"], s["relation"], s["to"]) for s in finding["path"]}
    assert ("clarithromycin", "inhibits", "CYP3A4") in steps
    assert ("fentanyl", "substrate-of", "CYP3A4") in steps
    assert {"regimen.2", "new_orders.0"} <= set(finding["orders"])


def test_the_example_sees_the_ingredients_of_the_combination_product(client: FlaskClient) -> None:
    _, answer = post(client, EXAMPLE)
    lines = {line["drug"] for line in answer["opioids"]["lines"]}
    assert "codeine" in lines
    assert any("paracetamol" in f["drugs"] for f in answer["findings"]) or any(
        "paracetamol" in str(n) for n in answer["notices"]
    )


def test_the_example_judges_morphine_in_this_kidney_function(client: FlaskClient) -> None:
    _, answer = post(client, EXAMPLE)
    assert find(answer, "renal-caution", "morphine")["severity"] in ("high", "critical")


def test_the_example_says_that_potassium_is_missing(client: FlaskClient) -> None:
    _, answer = post(client, EXAMPLE)
    assert any(n["code"] == "missing-lab" and n["field"] == "patient.potassium" for n in answer["notices"])


def test_the_example_rules_gabapentin_out_for_the_recorded_intolerance(client: FlaskClient) -> None:
    _, answer = post(client, EXAMPLE)
    ruled_out = [e for e in answer["excluded"] if e["drug"] == "gabapentin"]
    assert any("not tolerated" in reason for e in ruled_out for reason in e["because"])
    assert not any(s["drug"] == "gabapentin" for s in answer["suggestions"])


def test_the_example_is_offered_something_with_a_dose(client: FlaskClient) -> None:
    _, answer = post(client, EXAMPLE)
    assert any(s["drug"] and s["order"] and s["order"]["dose"] for s in answer["suggestions"])


def test_the_same_request_gives_the_same_bytes(client: FlaskClient) -> None:
    first, second = (client.post("/v1/check", json=EXAMPLE).data for _ in range(2))
    assert first == second


def test_the_order_of_the_regimen_does_not_change_the_findings(client: FlaskClient) -> None:
    shuffled = {**EXAMPLE, "regimen": list(reversed(EXAMPLE["regimen"]))}
    (_, a), (_, b) = post(client, EXAMPLE), post(client, shuffled)
    key = lambda f: (f["kind"], f["hazard"], f["severity"], tuple(sorted(f["drugs"])))  # noqa: E731
    assert sorted(map(key, a["findings"])) == sorted(map(key, b["findings"]))


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        (
            {"regimen": [{"drug": "morphone", "dose": 5, "unit": "mg", "route": "oral", "times_per_day": 1}]},
            "unknown-drug",
            "regimen.0.drug",
        ),
        (
            {"regimen": [{"drug": "morphine", "dose": 5, "unit": "squid", "route": "oral", "times_per_day": 1}]},
            "unit-suspect",
            "regimen.0.unit",
        ),
        (
            {"regimen": [{"drug": "morphine", "dose": 5, "unit": "mg", "route": "oral", "times_per_day": 1}]},
            "missing-lab",
            "patient.creatinine",
        ),
        ({"patient": {"weight_kg": 640}, "regimen": [{"drug": "morphine"}]}, "value-implausible", "patient.weight_kg"),
        (
            {"patient": {"creatinine": {"value": 1.1, "unit": "umol/L"}}, "regimen": [{"drug": "morphine"}]},
            "unit-suspect",
            "patient.creatinine",
        ),
        (
            {"patient": {"creatinine": {"value": 90}}, "regimen": [{"drug": "morphine"}]},
            "unit-suspect",
            "patient.creatinine",
        ),
        (
            {"patient": {"conditions": ["zorbitis"]}, "regimen": [{"drug": "morphine"}]},
            "unknown-condition",
            "patient.conditions.0",
        ),
        ({"regimn": []}, "not-covered", "regimn"),
        ({}, "nothing-to-check", "regimen"),
    ],
)
def test_what_cannot_be_used_is_a_visible_notice(client: FlaskClient, change: Any, code: str, field: str) -> None:
    status, answer = post(client, change)
    assert status == 200
    assert (code, field) in {(n["code"], n["field"]) for n in answer["notices"]}
    assert answer["status"] != "all-clear"
    assert answer["complete"] is False


def test_an_unknown_drug_comes_with_candidates(client: FlaskClient) -> None:
    _, answer = post(client, {"regimen": [{"drug": "morphone"}]})
    notice = next(n for n in answer["notices"] if n["code"] == "unknown-drug")
    assert "morphine" in {c["id"] for c in notice["candidates"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"regimen": [{"drug": "morphine", "dose": -5, "unit": "mg"}]}, "regimen.0.dose"),
        ({"regimen": [{"dose": 5}]}, "regimen.0.drug"),
        ({"regimen": "morphine"}, "regimen"),
        ({"patient": {"age_years": "old"}, "regimen": []}, "patient.age_years"),
        ({"patient": {"sex": "x"}}, "patient.sex"),
        ({"regimen": [{"drug": "morphine", "route": "by carrier pigeon"}]}, "regimen.0.route"),
        ({"symptoms": [{"name": "pain", "score": 11}]}, "symptoms.0.score"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"new_orders": [{"drug": "morphine", "replaces": "regimen.9"}]}, "new_orders.0.replaces"),
    ],
)
def test_a_body_that_breaks_the_schema_is_told_where(client: FlaskClient, body: Any, field: str) -> None:
    status, answer = post(client, body)
    assert status == 422
    assert field in {e["field"] for e in answer["errors"]}


def test_all_errors_of_a_body_are_told_at_once(client: FlaskClient) -> None:
    _, answer = post(client, {"patient": {"sex": "x", "age_years": "old"}, "regimen": [{"dose": -1}]})
    assert {"patient.sex", "patient.age_years", "regimen.0.drug", "regimen.0.dose"} <= {
        e["field"] for e in answer["errors"]
    }


def test_malformed_json_is_400(client: FlaskClient) -> None:
    status, answer = post(client, b"{not json")
    assert (status, answer["errors"][0]["code"]) == (400, "malformed-json")


def test_an_empty_body_is_400(client: FlaskClient) -> None:
    assert post(client, b"")[0] == 400


def test_another_media_type_is_415(client: FlaskClient) -> None:
    assert client.post("/v1/check", data="{}", content_type="text/plain").status_code == 415


def test_a_body_of_two_megabytes_is_413(client: FlaskClient) -> None:
    assert post(client, b'{"a": "' + b"x" * 2_000_000 + b'"}')[0] == 413


def test_an_unknown_path_is_404_problem_json(client: FlaskClient) -> None:
    answer = client.get("/v1/nowhere")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_an_unknown_drug_id_is_404_with_candidates(client: FlaskClient) -> None:
    answer = client.get("/v1/drugs/morphin")
    assert answer.status_code == 404
    assert "morphine" in {c["id"] for c in answer.get_json()["candidates"]}


def test_search_forgives_a_typo(client: FlaskClient) -> None:
    assert client.get("/v1/drugs?q=gabapentine").get_json()["drugs"][0]["id"] == "gabapentin"


def test_interactions_need_no_patient(client: FlaskClient) -> None:
    answer = client.get("/v1/interactions?drugs=fentanyl,clarithromycin").get_json()
    assert find(answer, "exposure-increase", "fentanyl", "clarithromycin")


def test_an_answer_without_doses_says_which_doses_it_took_for_high(client: FlaskClient) -> None:
    methotrexate = client.get("/v1/interactions?drugs=methotrexate,ibuprofen").get_json()["notices"]
    assert [(n["code"], n["field"]) for n in methotrexate] == [("missing-data", "drugs")]
    assert "methotrexate" in methotrexate[0]["message"]
    assert "a high one is assumed" in methotrexate[0]["message"]
    assert client.get("/v1/interactions?drugs=paracetamol,amoxicillin").get_json()["notices"] == []


def test_each_added_hazard_is_explained_in_the_published_schema(client: FlaskClient) -> None:
    finding = client.get("/openapi.json").get_json()["components"]["schemas"]["Finding"]
    told = finding["properties"]["hazard"]["description"]
    assert [code for code in ADDED_HAZARDS if f"{code}, {ADDED_HAZARDS[code]}" not in told] == []


@pytest.mark.parametrize(
    ("accept", "start"), [("application/json", b"{"), ("application/graphml+xml", b"<?xml"), ("image/svg+xml", b"<svg")]
)
def test_the_graph_comes_in_three_forms(client: FlaskClient, accept: str, start: bytes) -> None:
    answer = client.get("/v1/graph?drugs=fentanyl,clarithromycin", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.data.startswith(start)


def test_the_service_says_what_it_knows(client: FlaskClient) -> None:
    answer = client.get("/v1/knowledge").get_json()
    assert answer["counts"]["drugs"] >= 40
    assert answer["review"]["clinically_signed_off"] == 0


def test_the_service_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").get_json()["status"] == "ready"


@pytest.mark.parametrize("creatinine", [None, {"value": 180, "unit": "umol/L"}, {"value": 1.1}])
def test_organ_function_and_a_search_have_the_described_shapes(client: FlaskClient, creatinine: Any) -> None:
    patient = {"age_years": 70, "sex": "female", "weight_kg": 60, "height_cm": 165, "creatinine": creatinine}
    answers = (
        (client.post("/v1/organ-function", json={"patient": patient, "regimen": []}), "/v1/organ-function", "post"),
        (client.get("/v1/drugs?q=morph"), "/v1/drugs", "get"),
    )
    document = client.get("/openapi.json").get_json()
    for answer, path, method in answers:
        shape = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        checker = Draft202012Validator({**shape, "components": document["components"]})
        assert [error.message for error in checker.iter_errors(answer.get_json())] == []


def test_what_an_amount_and_a_route_may_not_be_is_said_in_the_document(client: FlaskClient) -> None:
    shapes = client.get("/openapi.json").get_json()["components"]["schemas"]
    amounts = ("dose", "times_per_day", "interval_h", "max_times_per_day")
    assert [shapes["Order"]["properties"][name]["exclusiveMinimum"] for name in amounts] == [0] * len(amounts)
    assert shapes["Target"]["properties"]["route"]["type"] == "string"
    assert "null" in shapes["Order"]["properties"]["route"]["type"]


def test_the_contract_names_every_endpoint(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").get_json()["paths"]
    assert {
        "/v1/check",
        "/v1/opioids/convert",
        "/v1/organ-function",
        "/v1/drugs",
        "/v1/interactions",
        "/v1/graph",
        "/v1/knowledge",
    } <= set(paths)
    assert b"<h1>medsafe API</h1>" in client.get("/docs").data


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"])
def test_no_method_makes_an_endpoint_fail(client: FlaskClient, method: str) -> None:
    for path in ("/v1/check", "/v1/opioids/convert", "/v1/organ-function", "/v1/drugs", "/metrics", "/cds-services"):
        assert client.open(path, method=method, json={"regimen": []}).status_code < 500


@pytest.mark.parametrize("path", ["/v1/interactions", "/v1/graph"])
@pytest.mark.parametrize(("count", "status"), [(60, 200), (61, 422)])
def test_more_drugs_than_a_regimen_holds_are_refused(client: FlaskClient, path: str, count: int, status: int) -> None:
    names = ",".join(["morphine", "warfarin", *["zolpidem"] * (count - 2)])
    assert client.get(f"{path}?drugs={names}").status_code == status


@pytest.mark.parametrize(
    ("raw", "fields"),
    [
        (b'{"regimen": [{"drug": "warfarin"}], "regimen": []}', ["regimen"]),
        (b'{"regimen": [{"drug": "warfarin", "dose": 5, "unit": "mg", "dose": 50}]}', ["regimen.0.dose"]),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_path(client: FlaskClient, raw: bytes, fields: list[str]) -> None:
    answer = client.post("/v1/check", data=raw, content_type="application/json")
    assert (answer.status_code, [e["field"] for e in answer.get_json()["errors"]]) == (400, fields)


def test_a_body_nested_deeper_than_a_parser_takes_is_no_fault_of_the_service(client: FlaskClient) -> None:
    raw = b'{"a":' * 900 + b"1" + b"}" * 900
    assert client.post("/v1/check", data=raw, content_type="application/json").status_code == 200


def test_the_drugs_of_a_question_may_be_listed_or_repeated(client: FlaskClient) -> None:
    listed, repeated = (client.get(f"/v1/interactions?{q}") for q in ("drugs=a,warfarin", "drugs=a&drugs=warfarin"))
    assert listed.get_json()["drugs"] == repeated.get_json()["drugs"]


def test_a_graph_of_an_unknown_drug_names_it(client: FlaskClient) -> None:
    answer = client.get("/v1/graph?drugs=morphine,zzqx")
    assert answer.status_code == 422
    assert "zzqx" in answer.get_json()["errors"][0]["message"]
