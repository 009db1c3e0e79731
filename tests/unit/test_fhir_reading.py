"""FHIR resources as they really come → a case; whatever can't be read is named, and nothing ever breaks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsafe.fhir.dosage import Dosage, combine
from medsafe.fhir.observations import LAB_CODES, VITAL_CODES, read_values
from medsafe.fhir.patients import read_age, read_allergies, read_conditions, read_dialysis
from medsafe.fhir.prefetch import State, read_prefetch
from medsafe.fhir.reading import read_case, read_resources
from medsafe.fhir.routes import SNOMED_ROUTES, read_route
from medsafe.model.case import Case
from medsafe.model.quantities import ANALYTES, VITALS
from medsafe.model.vocabulary import ROUTES

Json = dict[str, Any]
TODAY = date(2026, 11, 23)


def amount(value: float, unit: str = "mg", **more: Any) -> Json:
    return {"value": value, "unit": unit, **more}


def every(frequency: float, period: float, unit: str, **more: Any) -> Json:
    return {"timing": {"repeat": {"frequency": frequency, "period": period, "periodUnit": unit, **more}}}


@pytest.mark.parametrize(
    ("line", "dose", "unit"),
    [
        ({"doseAndRate": [{"doseQuantity": amount(5)}]}, 5, "mg"),
        ({"doseAndRate": {"doseQuantity": amount(5, "mL", code="mL")}}, 5, "mL"),
        ({"doseQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "{pill}"}}, 1, "tablet"),
        ({"doseQuantity": {"value": 50, "unit": "microgram", "code": "ug"}}, 50, "mcg"),
        ({"doseQuantity": amount(5000, "[IU]")}, 5000, "units"),
        ({"doseRange": {"low": amount(1, "tablet"), "high": amount(2, "tablet")}}, 2, "tablet"),
        ({"doseAndRate": [{"doseRange": {"low": amount(5)}}]}, 5, "mg"),
        ({"doseAndRate": [{"rateQuantity": amount(2, "mg/h")}]}, 2, "mg/h"),
        ({"doseAndRate": [{"rateQuantity": amount(20, "mg/d")}]}, 20, "mg/24h"),
        ({"doseAndRate": [{"rateRatio": {"numerator": amount(10), "denominator": amount(24, "h")}}]}, 10 / 24, "mg/h"),
        ({"rateRatio": {"numerator": amount(30), "denominator": amount(1, "d")}}, 30, "mg/24h"),
        ({"dose": {"value": 5, "unit": "mg"}}, 5, "mg"),
        ({"text": "Take 1-2 tablets by mouth every 6 hours as needed"}, 2, "tablet"),
        ({"text": "500 mg PO bid"}, 500, "mg"),
        ({"doseQuantity": {"value": 1}}, 1, None),
        ({"doseQuantity": {"value": "2.5", "unit": "mg"}}, 2.5, "mg"),
    ],
)
def test_a_dose_is_read_in_every_shape(line: Json, dose: float, unit: str | None) -> None:
    read = combine([line])
    assert (read.dose, read.unit) == (pytest.approx(dose), unit)


def test_what_was_ordered_is_read_before_what_was_calculated() -> None:
    both = [
        {"type": {"coding": [{"code": "calculated"}]}, "doseQuantity": amount(9)},
        {"type": {"coding": [{"code": "ordered"}]}, "doseQuantity": amount(5)},
    ]
    assert combine([{"doseAndRate": both}]).dose == 5


@pytest.mark.parametrize(
    ("line", "times", "interval"),
    [
        (every(2, 1, "d"), 2, None),
        (every(1, 8, "h"), 3, None),
        (every(1, 3, "d"), None, 72),
        (every(1, 1, "wk"), None, 168),
        (every(1, 4, "h", periodMax=6), 6, None),
        ({"timing": {"repeat": {"frequency": 1, "frequencyMax": 3, "period": 1, "periodUnit": "d"}}}, 3, None),
        ({"timing": {"repeat": {"timeOfDay": ["08:00", "20:00"]}}}, 2, None),
        ({"timing": {"repeat": {"when": ["MORN", "NOON", "EVE"]}}}, 3, None),
        ({"timing": {"repeat": {"dayOfWeek": ["mon"], "frequency": 1, "period": 1, "periodUnit": "d"}}}, None, 168),
        ({"timing": {"repeat": {"dayOfWeek": ["mon", "thu"]}}}, None, 84),
        *[
            ({"timing": {"code": {"coding": [{"code": code}]}}}, times, None)
            for code, times in (("QD", 1), ("BID", 2), ("TID", 3), ("QID", 4), ("Q4H", 6), ("Q6H", 4), ("AM", 1))
        ],
        ({"timing": {"code": {"coding": [{"code": "QOD"}]}}}, None, 48),
        ({"timing": {"code": {"text": "every 8 hours"}}}, 3, None),
        ({"text": "one patch every 72 hours"}, None, 72),
        ({"text": "10 mg every morning and at bedtime"}, 2, None),
        ({"text": "5 mL bid x 10 days"}, 2, None),
        ({"text": "Take once weekly"}, None, 168),
    ],
)
def test_a_frequency_is_read_in_every_shape(line: Json, times: float | None, interval: float | None) -> None:
    read = combine([line])
    assert (read.times_per_day, read.interval_h) == (times, interval)


def test_a_range_is_read_at_its_most_and_that_is_said() -> None:
    read = combine(
        [{"doseRange": {"low": amount(1, "tablet"), "high": amount(2, "tablet")}, **every(1, 4, "h", periodMax=6)}]
    )
    assert (read.dose, read.times_per_day) == (2, 6)
    assert "high end" in read.notes[0]
    assert "the most it allows" in read.notes[1]


@pytest.mark.parametrize(
    "line",
    [
        {"asNeededBoolean": True},
        {"asNeededCodeableConcept": {"text": "pain"}},
        {"asNeeded": True},
        {"text": "5 mg prn"},
    ],
)
def test_as_needed_is_read(line: Json) -> None:
    assert combine([line]).prn


def test_as_needed_false_is_believed_before_the_text() -> None:
    assert not combine([{"asNeededBoolean": False, "text": "5 mg prn"}]).prn


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(("most", "times"), [(amount(20), 4), (amount(4, "1"), 4), (amount(1, "g"), None)])
def test_the_most_per_day_limits_the_doses(most: Json, times: float | None, wrapped: bool) -> None:
    ratio = {"numerator": most, "denominator": amount(24, "h")}
    line = {"doseQuantity": amount(5), "maxDosePerPeriod": [ratio] if wrapped else ratio}
    assert combine([line]).max_times_per_day == times


def test_lines_side_by_side_add_up() -> None:
    morning, night = ({"doseQuantity": amount(dose), **every(1, 1, "d")} for dose in (10, 20))
    read = combine([morning, night])
    assert (read.dose, read.times_per_day, read.daily) == (20, 1.5, 30)


def test_steps_that_follow_each_other_are_read_by_the_highest() -> None:
    steps = [{"sequence": i, "doseQuantity": amount(dose), **every(1, 1, "d")} for i, dose in enumerate((8, 4, 2))]
    read = combine(steps)
    assert read.dose == 8
    assert "highest" in read.notes[-1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"text": "as directed by the clinic"}, "text only"),
        ({"doseQuantity": {"value": "some"}}, "dose is in a shape"),
        ({"timing": {"repeat": {"frequency": 2}}}, "timing is in a shape"),
        ({"route": {"text": "by carrier pigeon"}}, "by carrier pigeon"),
    ],
)
def test_a_dosage_that_cannot_be_read_is_doubted(line: Json, said: str) -> None:
    assert any(said in doubt for doubt in combine([line]).doubts)


def test_no_dosage_is_no_error() -> None:
    assert combine([]) == Dosage()


def test_routes_are_read_from_codes_and_words() -> None:
    assert set(SNOMED_ROUTES.values()) <= ROUTES
    assert read_route({"coding": [{"system": "http://snomed.info/sct", "code": "34206005"}]})[0] == "subcutaneous"
    assert read_route({"text": "PO"})[0] == "oral"
    assert read_route({"coding": [{"display": "Intravenous route (qualifier value)"}]})[0] == "intravenous"


def test_every_code_belongs_to_a_quantity_of_ours_and_to_one_only() -> None:
    assert set(LAB_CODES) <= set(ANALYTES)
    assert set(VITAL_CODES) <= set(VITALS)
    codes = [code for table in (LAB_CODES, VITAL_CODES) for listed in table.values() for code in listed]
    assert len(codes) == len(set(codes))


def test_every_loinc_code_has_its_check_digit() -> None:
    codes = [code for table in (LAB_CODES, VITAL_CODES) for listed in table.values() for code in listed]
    assert [code for code in codes if check_digit(code.split("-")[0]) != int(code.split("-")[1])] == []


def check_digit(number: str) -> int:
    """The Mod 10 digit of LOINC."""
    doubled = str(int(number[::-1][::2]) * 2)
    total = sum(map(int, doubled)) + sum(map(int, number[::-1][1::2]))
    return -total % 10


def observation(code: str, value: Any, unit: str | None = "mg/dL", day: str | None = "2026-11-20", **more: Any) -> Json:
    found: Json = {
        "resourceType": "Observation",
        "id": code,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
    }
    found |= {"effectiveDateTime": day} if day else {}
    return {**found, "valueQuantity": {"value": value, **({"unit": unit} if unit else {})}, **more}


def test_the_latest_value_counts_and_the_one_before_is_the_previous_creatinine() -> None:
    values = [
        observation(c, v, day=d)
        for c, v, d in (("2160-0", 1.0, "2026-11-01"), ("38483-4", 2.0, "2026-11-20"), ("2160-0", 0.8, None))
    ]
    labs = read_values(values, TODAY).labs
    assert (labs["creatinine"].value, labs["creatinine"].taken_on) == (2.0, date(2026, 11, 20))
    assert labs["previous_creatinine"].value == 1.0


def test_units_are_handed_on_and_the_upper_limit_with_them() -> None:
    limits = {"referenceRange": [{"high": {"value": 40, "unit": "U/L"}}]}
    lab = read_values([observation("1742-6", 80, "U/L", **limits)], TODAY).labs["alt"]
    assert (lab.unit, lab.upper_limit) == ("U/L", 40)
    assert read_values([observation("2160-0", 1.1, None)], TODAY).labs["creatinine"].unit is None


def test_components_are_read() -> None:
    part = {
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "valueQuantity": {"value": 95, "code": "mm[Hg]"},
    }
    panel = {
        "resourceType": "Observation",
        "status": "final",
        "effectiveDateTime": "2026-11-23",
        "code": {"coding": [{"code": "85354-9"}]},
        "component": [part],
    }
    assert read_values([panel], TODAY).vitals == {"systolic_bp_mmhg": 95}


@pytest.mark.parametrize(("unit", "kg"), [("kg", 70), ("[lb_av]", 31.751466), ("g", 0.07)])
def test_a_weight_is_brought_to_kilograms(unit: str, kg: float) -> None:
    assert read_values([observation("29463-7", 70, unit)], TODAY).vitals["weight_kg"] == pytest.approx(kg)


@pytest.mark.parametrize("unit", [None, "stone"])
def test_a_weight_without_a_known_unit_is_not_used_and_told(unit: str | None) -> None:
    read = read_values([observation("29463-7", 11, unit)], TODAY)
    assert "weight_kg" not in read.vitals
    assert read.notices[0].code == "unit-suspect"


def test_an_old_sign_of_the_moment_is_not_taken_for_the_present() -> None:
    read = read_values([observation("9279-1", 6, "/min", "2026-11-20")], TODAY)
    assert "respiratory_rate" not in read.vitals
    assert read.notices[0].code == "stale-lab"


def test_an_old_weight_is_used_and_told() -> None:
    read = read_values([observation("29463-7", 70, "kg", "2024-11-20")], TODAY)
    assert read.vitals["weight_kg"] == 70
    assert read.notices[0].limits


def test_what_was_entered_in_error_is_not_read() -> None:
    assert not read_values([observation("2160-0", 9, status="entered-in-error")], TODAY).labs


@pytest.mark.parametrize(("born", "age"), [("1950-11-23", 76), ("1950-11-24", 75), ("1950-11", 76), ("1950", 76)])
def test_age_is_counted_on_the_day_of_the_check(born: str, age: float) -> None:
    assert read_age({"resourceType": "Patient", "birthDate": born}, TODAY)[0] == age


@pytest.mark.parametrize("born", [None, "soon", 1950, "2030-01-01"])
def test_an_age_that_cannot_be_known_is_told(born: Any) -> None:
    age, notices = read_age({"resourceType": "Patient", "birthDate": born}, TODAY)
    assert age is None
    assert notices


@pytest.mark.parametrize(
    ("status", "count"),
    [
        (None, 1),
        ("active", 1),
        ({"coding": [{"code": "active"}]}, 1),
        ({"coding": [{"code": "resolved"}]}, 0),
        ("inactive", 0),
    ],
)
def test_only_present_conditions_are_read(status: Any, count: int) -> None:
    condition = {"resourceType": "Condition", "clinicalStatus": status, "code": {"text": "Epilepsy"}}
    assert len(read_conditions([condition])[0]) == count


def test_a_refuted_condition_is_not_read() -> None:
    refuted = {"verificationStatus": {"coding": [{"code": "refuted"}]}, "code": {"text": "Epilepsy"}}
    assert read_conditions([refuted]) == ((), [])


def test_allergies_are_read_with_their_reaction() -> None:
    reaction = [{"manifestation": [{"text": "Anaphylaxis"}]}]
    allergy = {
        "type": "allergy",
        "category": ["medication"],
        "code": {"text": "Allergy to penicillin"},
        "reaction": reaction,
    }
    found = read_allergies([allergy])[0][0]
    assert (found.substance, found.reaction, found.kind) == ("penicillin", "Anaphylaxis", "allergy medication")


@pytest.mark.parametrize(
    "code", [{"coding": [{"code": "716186003"}]}, {"text": "No known allergies"}, {"text": "NKDA"}]
)
def test_no_known_allergies_is_an_empty_list(code: Json) -> None:
    assert read_allergies([{"code": code}]) == ((), [])


@pytest.mark.parametrize(
    ("text", "day", "kind"),
    [
        ("Hemodialysis", "2026-11-20", "haemodialysis"),
        ("Peritoneal dialysis", "2026-11-20", "peritoneal"),
        ("Continuous renal replacement therapy", "2026-11-20", "crrt"),
        ("Haemodialysis", "2020-01-01", None),
        ("Dialysis education", "2026-11-20", None),
        ("Appendectomy", "2026-11-20", None),
    ],
)
def test_dialysis_is_read_from_procedures(text: str, day: str, kind: str | None) -> None:
    procedure = {"resourceType": "Procedure", "status": "completed", "code": {"text": text}, "performedDateTime": day}
    assert read_dialysis([procedure], TODAY)[0] == kind


def case(*medications: Json, drafts: tuple[Json, ...] = (), as_of: date | None = TODAY) -> Case:
    return read_case(None, medications, drafts, (), None, None, as_of)[0]


def medicine(kind: str = "MedicationRequest", name: str = "digoxin", **more: Any) -> Json:
    return {
        "resourceType": kind,
        "id": f"{kind}-1",
        "status": "active",
        "medicationCodeableConcept": {"text": name},
        **more,
    }


def test_the_medication_is_found_wherever_it_is_named() -> None:
    inside = {
        "medicationReference": {"reference": "#m"},
        "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "digoxin"}}],
    }
    beside = {"medicationReference": {"reference": "Medication/7"}}
    r5 = {"medication": {"concept": {"text": "digoxin"}}}
    shown = {"medicationReference": {"reference": "Medication/8", "display": "digoxin"}}
    shelf = {"resourceType": "Medication", "id": "7", "code": {"text": "digoxin"}}
    for shape in (inside, beside, r5, shown):
        resource = {"resourceType": "MedicationRequest", "id": "x", "status": "active", **shape}
        assert [o.drug.name for o in case(resource, shelf).regimen] == ["digoxin"], shape


def test_a_code_that_is_understood_is_taken_before_a_local_one() -> None:
    listed = [
        {"system": "http://local.example", "code": "1", "display": "x"},
        {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "855332", "display": "y"},
    ]
    drug = case(medicine(medicationCodeableConcept={"coding": listed})).regimen[0].drug
    assert (drug.code, drug.name) == ("855332", "y")


def test_one_medicine_in_four_resources_is_one_order() -> None:
    day = {"effectiveDateTime": "2026-11-23", "whenHandedOver": "2026-11-20"}
    given = [
        medicine(kind, **day)
        for kind in ("MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense")
    ]
    assert len(case(*given).regimen) == 1


def test_what_was_given_some_days_ago_counts_as_stopped() -> None:
    found = case(medicine("MedicationAdministration", status="completed", effectiveDateTime="2026-11-13"))
    assert (found.regimen, found.recently_stopped[0].days_ago) == ((), 10)


def test_a_statement_that_ended_counts_as_stopped_since_then() -> None:
    found = case(
        medicine(
            "MedicationStatement", status="completed", effectivePeriod={"start": "2026-01-01", "end": "2026-11-16"}
        )
    )
    assert (found.regimen, found.recently_stopped[0].days_ago) == ((), 7)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_what_was_never_taken_is_left_out(status: str) -> None:
    assert case(medicine(status=status)) == Case(as_of=TODAY)


def test_an_ended_order_without_a_day_is_told() -> None:
    _, notices = read_case(None, [medicine(status="stopped")], (), (), None, None, TODAY)
    assert notices[0].field == "recently_stopped"


def test_a_draft_signed_again_takes_the_place_of_its_order() -> None:
    drafted = medicine(status="draft", authoredOn="2026-11-23")
    found = case(medicine(authoredOn="2026-01-01"), drafts=(drafted,))
    assert found.new_orders[0].replaces == "regimen.0"
    assert found.new_orders[0].started_on == date(2026, 1, 1)


def test_a_changed_order_starts_anew() -> None:
    changed = medicine(status="draft", dosageInstruction=[{"doseQuantity": amount(5)}])
    found = case(medicine(authoredOn="2026-01-01"), drafts=(changed,))
    assert (found.new_orders[0].replaces, found.new_orders[0].started_on) == ("regimen.0", None)


def test_an_order_being_stopped_counts_as_stopped_today() -> None:
    found = case(medicine(), drafts=(medicine(status="cancelled"),))
    assert (found.regimen, found.new_orders, found.recently_stopped[0].days_ago) == ((), (), 0)


def test_a_patch_named_by_its_rate_is_a_rate() -> None:
    line = {"doseQuantity": amount(1, "patch", code="{patch}"), **every(1, 3, "d")}
    read = case(medicine(name="72 HR Examplin 0.075 MG/HR Transdermal System", dosageInstruction=[line])).regimen[0]
    assert (read.dose, read.unit, read.interval_h, read.route) == (pytest.approx(0.075), "mg/h", 72, "transdermal")


def test_the_route_of_a_product_stands_in_for_a_missing_one_but_not_for_an_unknown_one() -> None:
    assert case(medicine(name="Examplin 5 MG Oral Tablet")).regimen[0].route == "oral"
    odd = [{"route": {"text": "by carrier pigeon"}}]
    assert case(medicine(name="Examplin 5 MG Oral Tablet", dosageInstruction=odd)).regimen[0].route is None


def test_conditions_not_supplied_are_not_none() -> None:
    nothing = read_resources(None, (), (), (), None, (), TODAY).case.patient
    assert (nothing.conditions, nothing.allergies) == (None, ())


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (None, State.NULL),
        ({"resourceType": "Bundle"}, State.EMPTY),
        ({"resourceType": "Bundle", "entry": [{"resource": medicine()}]}, State.FOUND),
        ({"resourceType": "OperationOutcome", "issue": [{"severity": "fatal"}]}, State.FAILED),
        ({"response": {"status": "500"}, "resource": None}, State.FAILED),
        ("nonsense", State.FAILED),
    ],
)
def test_the_states_of_a_prefetch_are_kept_apart(value: Any, state: State) -> None:
    assert read_prefetch({"medications": value}).state("medications") is state
    assert read_prefetch({}).state("medications") is State.ABSENT


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["1950-01-01", "active", "#m", "Bundle"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "code",
                    "coding",
                    "text",
                    "value",
                    "unit",
                    "repeat",
                    "frequency",
                    "period",
                    "periodUnit",
                    "resource",
                    "entry",
                    "reference",
                    "low",
                    "high",
                    "display",
                    "system",
                    "start",
                    "end",
                    "count",
                    "dayOfWeek",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
ELEMENTS = (
    "id", "status", "subject", "patient", "code", "category", "medicationCodeableConcept", "medicationReference", "medication", "contained",
    "dosageInstruction", "dosage", "authoredOn", "effectivePeriod", "effectiveDateTime", "valueQuantity", "component", "referenceRange",
    "clinicalStatus", "verificationStatus", "reaction", "birthDate", "gender", "performedPeriod", "daysSupply", "whenHandedOver", "priorPrescription",
    "total", "link", "entry", "issue", "response", "resource",
)  # fmt: skip
KINDS = ("MedicationRequest", "MedicationStatement", "MedicationAdministration", "MedicationDispense", "Medication", "Patient",
    "Observation", "Condition", "AllergyIntolerance", "Procedure", "Bundle", "OperationOutcome")  # fmt: skip
DOSAGE_ELEMENTS = (
    "text", "timing", "doseQuantity", "doseRange", "doseAndRate", "route", "asNeeded", "maxDosePerPeriod", "sequence",
    "rateRatio", "rateQuantity",
)  # fmt: skip
RESOURCE = st.builds(
    lambda kind, parts: {**parts, "resourceType": kind},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(ELEMENTS), ODD, max_size=6),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RESOURCE, max_size=6), st.lists(RESOURCE, max_size=3))
def test_no_shape_of_a_resource_breaks_the_reading(resources: list[Json], drafts: list[Json]) -> None:
    patient = next((r for r in resources if r["resourceType"] == "Patient"), None)
    assert read_resources(patient, resources, drafts, resources, resources, resources, TODAY, resources) is not None


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["patient", "medications", "laboratory", "item1"]), ODD | RESOURCE, max_size=3)
    | ODD
)
def test_no_shape_of_a_prefetch_breaks_the_reading(prefetch: Any) -> None:
    assert read_prefetch(prefetch, "p1") is not None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(DOSAGE_ELEMENTS), ODD, max_size=5), max_size=3))
def test_no_shape_of_a_dosage_breaks_the_reading(lines: list[Json]) -> None:
    assert combine(lines) is not None


def dependent(text: str, status: str = "active", **more: Any) -> Json:
    return {
        "resourceType": "Condition",
        "id": "c1",
        "clinicalStatus": {"coding": [{"code": status}]},
        "code": {"text": text, **more},
    }


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (dependent("Dependence on renal dialysis (finding)"), "haemodialysis"),
        (dependent("Dependence on peritoneal dialysis"), "peritoneal"),
        (dependent("x", coding=[{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z99.2"}]), "haemodialysis"),
        (dependent("Dependence on renal dialysis", "resolved"), None),
        (dependent("End stage renal disease"), None),
        (dependent("Refused haemodialysis education"), None),
    ],
)
def test_dependence_on_dialysis_is_read_from_conditions(condition: Json, kind: str | None) -> None:
    assert read_case(None, [], [], [], [condition], [], TODAY)[0].patient.dialysis == kind


def smoker(code: str, day: str = "2026-11-01") -> Json:
    return {
        "resourceType": "Observation",
        "id": f"s-{code}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "72166-2"}]},
        "effectiveDateTime": day,
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": code}]},
    }


def test_smoking_is_read_from_the_latest_observation_and_from_problems() -> None:
    def status(observations: list[Json], conditions: list[Json]) -> str | None:
        smoking = read_case(None, [], [], observations, conditions, [], TODAY)[0].patient.smoking
        return smoking.status if smoking else None

    daily = dependent("Smokes tobacco daily", coding=[{"system": "http://snomed.info/sct", "code": "449868002"}])
    assert status([smoker("449868002", "2020-01-01"), smoker("8517006")], []) == "stopped"
    assert status([smoker("266919005")], []) == "never"
    assert status([], [daily]) == "current"
    assert status([], []) is None


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("Lasix 40mg", 1, "tablet"),
        ("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]", 2, "tablet"),
        ("Lasix 40mg", 40, None),
        ("Warfarin 1 mg tablet", 1, None),
        ("Lasix 40mg", 5, None),
        ("Furosemide 10 MG/ML Injection", 1, None),
        ("paracetamol 500 mg / codeine 30 mg", 1, None),
        ("furosemide", 1, None),
    ],
)
def test_a_small_number_beside_a_product_of_one_strength_counts_the_product(
    name: str, value: float, unit: str | None
) -> None:
    line = {
        "doseAndRate": [{"doseQuantity": {"value": value}}],
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
    }
    order = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "medicationCodeableConcept": {"text": name},
        "dosageInstruction": [line],
    }
    case, notices = read_case(None, [order], [], [], [], [], TODAY)
    assert case.regimen[0].unit == unit
    assert any("read as so many of the product" in n.message for n in notices) == (unit is not None)
