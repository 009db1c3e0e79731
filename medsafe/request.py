"""Shape of the requests: marshmallow schemas that report every error at once, and the step from them to a Case.

What is well-formed but impossible or doubtful passes here: judging values is the work of the core. A key that is not known
is not an error either; it is told in a notice, so that a slip of the keyboard shows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from medsafe.decoder import Loader, Tolerant
from medsafe.identity.words import ROUTE_WORDS as WRITTEN_ROUTES
from medsafe.model.case import (
    AllergyRecord,
    Case,
    CodedCondition,
    DrugRef,
    Goals,
    Measurement,
    Order,
    PatientData,
    Smoking,
    SymptomReport,
    TriedBefore,
)
from medsafe.model.findings import Notice
from medsafe.model.quantities import ANALYTES, VITALS
from medsafe.model.vocabulary import DIALYSIS, ROUTES

# Beside the language of orders: what stands in the field of the route alone.
ROUTE_WORDS = {
    **WRITTEN_ROUTES,
    "mouth": "oral",
    "pr": "rectal",
    "patch": "transdermal",
    "in": "intranasal",
    "top": "topical",
    "continuous subcutaneous infusion": "subcutaneous infusion",
    "continuous intravenous infusion": "intravenous infusion",
    "peg": "gastrostomy tube",
    "pej": "jejunostomy tube",
    "nj": "jejunostomy tube",
    "nasojejunal tube": "jejunostomy tube",
    "eye": "ophthalmic",
    "ear": "otic",
    "nebuliser": "inhaled",
    "nebulizer": "inhaled",
}
_ROUTE_MARKS = re.compile(r"[./]")


class Day(fields.Date):
    """A date as ISO 8601 text, or as TOML writes it in the case files."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        return value if type(value) is date else super()._deserialize(value, attr, data, **kwargs)


def is_number(value: Any) -> bool:
    """A finite number that fits a float; a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


class Number(fields.Field[float]):
    """A finite number; words, booleans, NaN and infinities are refused."""

    def __init__(self, positive: bool = False, **kwargs: Any) -> None:
        self.positive = positive
        kwargs.setdefault("load_default", None)
        kwargs.setdefault("allow_none", True)
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if not is_number(value):
            raise ValidationError("must be a number")
        if self.positive and value <= 0:
            raise ValidationError("must be greater than 0")
        return float(value)


def text(choices: frozenset[str] | tuple[str, ...] | None = None, **kwargs: Any) -> fields.String:
    """An optional text, from a closed list where one is given; null counts as left out."""
    check: list[Any] = [validate.Length(max=500)]
    if choices:
        check = [validate.OneOf(sorted(choices), error="must be one of: {choices}")]
    kwargs.setdefault("load_default", None)
    return fields.String(allow_none=True, validate=check, **kwargs)


class MeasurementSchema(Tolerant):
    value = fields.Raw(required=True)
    unit = text()
    taken_on = Day(load_default=None, allow_none=True)
    upper_limit = Number()

    def hold(self, data: dict[str, Any]) -> None:
        if not is_number(data.get("value")):
            raise ValidationError("must be a number", "value")


class Lab(fields.Field[Measurement]):
    """{value, unit, taken_on, upper_limit}, or a bare number where the quantity has no unit or none was given."""

    schema = Loader(MeasurementSchema())

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Measurement:
        if is_number(value):
            return Measurement(float(value))
        if not isinstance(value, dict):
            raise ValidationError("must be an object with value and unit")
        loaded = self.schema.load(value)
        return Measurement(float(loaded["value"]), loaded["unit"], loaded["taken_on"], loaded["upper_limit"])


class SmokingSchema(Tolerant):
    status = fields.String(
        required=True, validate=validate.OneOf(("current", "stopped", "never"), error="must be one of: {choices}")
    )
    days_ago = fields.Float(
        load_default=None, allow_none=True, validate=validate.Range(min=0, error="must not be negative")
    )


class Condition(fields.Field[CodedCondition]):
    """A name, or {system, code, text}."""

    keys_known = frozenset({"system", "code", "text", "display", "name"})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> CodedCondition:
        if isinstance(value, str):
            return CodedCondition(value)
        if isinstance(value, dict) and all(isinstance(v, str) for v in value.values()):
            shown = value.get("text") or value.get("display") or value.get("name") or ""
            return CodedCondition(shown, value.get("system", "").casefold(), value.get("code", ""))
        raise ValidationError("must be a name, or an object with system and code")


class Allergy(fields.Field[AllergyRecord]):
    """A substance, or {substance, reaction, type}."""

    keys_known = frozenset({"substance", "reaction", "type"})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> AllergyRecord:
        if isinstance(value, str):
            return AllergyRecord(value)
        if isinstance(value, dict) and isinstance(value.get("substance"), str):
            return AllergyRecord(value["substance"], str(value.get("reaction") or ""), str(value.get("type") or ""))
        raise ValidationError("must be a substance, or an object with substance and reaction")


LABS = sorted(name for name in ANALYTES)
BARE = sorted(VITALS)
_patient_fields: dict[str, Any] = {
    name: Lab(load_default=None, allow_none=True) for name in (*LABS, "previous_creatinine")
}
_patient_fields |= {name: Number() for name in BARE}


class PatientSchema(Tolerant.from_dict(_patient_fields, name="PatientNumbers")):  # type: ignore[misc]
    sex = text(("male", "female"))
    dialysis = text(DIALYSIS)
    ascites = text(("none", "mild", "moderate", "severe"))
    encephalopathy = text(("none", "grade 1", "grade 2", "grade 3", "grade 4"))
    sedation = text()
    conditions = fields.List(Condition(), load_default=None, allow_none=True)
    allergies = fields.List(Allergy(), load_default=None, allow_none=True)
    genotypes = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict, allow_none=True)
    smoking = fields.Nested(SmokingSchema, load_default=None, allow_none=True)


class YesNo(fields.Boolean):
    """True or false; 0 and 1, which Python counts as such, are refused like any other number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if type(value) is not bool:
            raise self.make_error("invalid", input=value)
        return value


class GoalsSchema(Tolerant):
    intent = text(("comfort", "disease-directed", "mixed"))
    documented = YesNo(load_default=False, allow_none=True)
    prognosis = text(("hours", "days", "weeks", "months", "years"))
    priorities = fields.List(fields.String(), load_default=list, allow_none=True)


class SymptomSchema(Tolerant):
    name = fields.String(required=True, validate=validate.Length(min=1, max=200))
    score = fields.Float(
        load_default=None, allow_none=True, validate=validate.Range(0, 10, error="must be from 0 to 10")
    )


class Drug(fields.Field[DrugRef]):
    """A name, or {system, code}."""

    keys_known = frozenset({"system", "code", "display", "name"})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> DrugRef:
        if isinstance(value, str) and value.strip():
            return DrugRef(name=value.strip()[:300])
        if (
            isinstance(value, dict)
            and isinstance(value.get("system"), str)
            and isinstance(value.get("code"), str)
            and value["code"].strip()
        ):
            return DrugRef(
                name=str(value.get("display") or value.get("name") or ""),
                system=value["system"],
                code=value["code"].strip(),
            )
        raise ValidationError("must be a drug name, or an object with system and code")


class Route(fields.Field[str]):
    """A route of the list, or a common abbreviation of one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        word = " ".join(_ROUTE_MARKS.sub("", value).casefold().split()) if isinstance(value, str) else ""
        word = word.removesuffix(" route")
        word = ROUTE_WORDS.get(word, word)
        if word not in ROUTES:
            raise ValidationError(f"must be one of: {', '.join(sorted(ROUTES))}")
        return word


class OrderSchema(Tolerant):
    drug = Drug(required=True)
    components = fields.List(fields.String(validate=validate.Length(min=1)), load_default=list, allow_none=True)
    strength = text()
    dose = Number(positive=True)
    unit = text()
    route = Route(load_default=None, allow_none=True)
    form = text()
    times_per_day = Number(positive=True)
    interval_h = Number(positive=True)
    prn = YesNo(load_default=None, allow_none=True)
    max_times_per_day = Number(positive=True)
    doses_last_24h = fields.Float(
        load_default=None, allow_none=True, validate=validate.Range(min=0, error="must not be negative")
    )
    started_on = Day(load_default=None, allow_none=True)
    indication = text()
    phase = text()
    replaces = text()
    days_ago = fields.Float(
        load_default=None, allow_none=True, validate=validate.Range(min=0, error="must not be negative")
    )
    taken_for_days = fields.Float(
        load_default=None, allow_none=True, validate=validate.Range(min=0, error="must not be negative")
    )


class HistorySchema(Tolerant):
    drug = Drug(required=True)
    outcome = fields.String(
        required=True,
        validate=validate.OneOf(("helped", "no-effect", "not-tolerated"), error="must be one of: {choices}"),
    )
    detail = text()


def orders(**kwargs: Any) -> fields.List[Any]:
    kwargs.setdefault("load_default", list)
    return fields.List(fields.Nested(OrderSchema), allow_none=True, validate=validate.Length(max=200), **kwargs)


class CaseSchema(Tolerant):
    as_of = Day(load_default=None, allow_none=True)
    patient = fields.Nested(PatientSchema, load_default=dict, allow_none=True)
    goals = fields.Nested(GoalsSchema, load_default=dict, allow_none=True)
    symptoms = fields.List(
        fields.Nested(SymptomSchema), load_default=None, allow_none=True, validate=validate.Length(max=50)
    )
    regimen = orders()
    new_orders = orders()
    recently_stopped = orders(load_default=None)
    history = fields.List(
        fields.Nested(HistorySchema), load_default=None, allow_none=True, validate=validate.Length(max=200)
    )
    opioid_table = text()

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def hold_together(self, data: dict[str, Any], original: Any = None, *_: Any, **__: Any) -> None:
        """Held to the body as it came, so that this error stands beside those of the fields."""
        self.hold(original if isinstance(original, dict) else data)

    def hold(self, data: dict[str, Any]) -> None:
        """A new order can only replace an order of the regimen."""
        regimen, new = (data.get(part) for part in ("regimen", "new_orders"))
        known = {f"regimen.{i}" for i in range(len(regimen) if isinstance(regimen, list) else 0)}
        wrong = {
            f"new_orders.{i}.replaces": [f"there is no order {o['replaces']!r} in the regimen"]
            for i, o in enumerate(new if isinstance(new, list) else ())
            if isinstance(o, dict)
            and isinstance(o.get("replaces"), str)
            and o["replaces"]
            and o["replaces"] not in known
        }
        if wrong:
            raise ValidationError(wrong)


CASE_SCHEMA = CaseSchema()
CASES = Loader(CASE_SCHEMA)


def _order(ref: str, data: dict[str, Any]) -> Order:
    drug: DrugRef = data["drug"]
    components, strength = data["components"], data["strength"]
    if components or strength:
        drug = DrugRef(drug.name, drug.system, drug.code, tuple(components or ()), strength or "")
    return Order(
        ref=ref,
        drug=drug,
        dose=data["dose"],
        unit=data["unit"],
        route=data["route"],
        form=data["form"] or "",
        times_per_day=data["times_per_day"],
        interval_h=data["interval_h"],
        prn=bool(data["prn"]),
        max_times_per_day=data["max_times_per_day"],
        doses_last_24h=data["doses_last_24h"],
        started_on=data["started_on"],
        indication=data["indication"] or "",
        phase=data["phase"] or "",
        replaces=data["replaces"],
        days_ago=data["days_ago"],
        taken_for_days=data["taken_for_days"],
    )


def _patient(data: dict[str, Any]) -> PatientData:
    smoking = data.get("smoking")
    conditions, allergies = data.get("conditions"), data.get("allergies")
    return PatientData(
        sex=data.get("sex"),
        labs={name: data[name] for name in (*LABS, "previous_creatinine") if data.get(name) is not None},
        vitals={name: data[name] for name in BARE if data.get(name) is not None},
        dialysis=data.get("dialysis"),
        ascites=data.get("ascites"),
        encephalopathy=data.get("encephalopathy"),
        sedation=data.get("sedation"),
        conditions=None if conditions is None else tuple(conditions),
        allergies=None if allergies is None else tuple(allergies),
        genotypes=data.get("genotypes") or {},
        smoking=Smoking(smoking["status"], smoking["days_ago"]) if smoking else None,
    )


def read_body(body: Any) -> Case:
    """A request body as a Case.

    Raises
    ------
    ValidationError: with everything that breaks the schema.
    """
    return as_case(CASES.load(body))


# Lists of which nothing said is not the same as none.
MAY_BE_LEFT_OUT = ("symptoms", "recently_stopped", "history")


def _unstated(data: dict[str, Any]) -> frozenset[str]:
    stopped = enumerate(data.get("recently_stopped") or ())
    undated = (f"recently_stopped.{i}.days_ago" for i, o in stopped if o.get("days_ago") is None)
    orders = ((f"{part}.{i}", o) for part in ("regimen", "new_orders") for i, o in enumerate(data.get(part) or ()))
    either = (f"{ref}.prn" for ref, order in orders if _regular_or_not(order))
    return frozenset((*(name for name in MAY_BE_LEFT_OUT if data.get(name) is None), *undated, *either))


def _regular_or_not(order: dict[str, Any]) -> bool:
    """Whether an order speaks like one that is given as needed and does not say so."""
    as_needed = order["max_times_per_day"] is not None or order["doses_last_24h"] is not None
    return order["prn"] is None and as_needed and order["times_per_day"] is None and order["interval_h"] is None


def as_case(data: dict[str, Any]) -> Case:
    """A loaded request as a Case."""
    goals = data.get("goals") or {}
    return Case(
        as_of=data.get("as_of"),
        patient=_patient(data.get("patient") or {}),
        goals=Goals(
            goals.get("intent"),
            bool(goals.get("documented")),
            goals.get("prognosis"),
            tuple(goals.get("priorities") or ()),
        ),
        symptoms=tuple(SymptomReport(s["name"], s["score"]) for s in data.get("symptoms") or ()),
        regimen=tuple(_order(f"regimen.{i}", o) for i, o in enumerate(data.get("regimen") or ())),
        new_orders=tuple(_order(f"new_orders.{i}", o) for i, o in enumerate(data.get("new_orders") or ())),
        recently_stopped=tuple(
            _order(f"recently_stopped.{i}", {**o, "days_ago": o.get("days_ago") or 0.0})
            for i, o in enumerate(data.get("recently_stopped") or ())
        ),
        history=tuple(TriedBefore(h["drug"], h["outcome"], h.get("detail") or "") for h in data.get("history") or ()),
        opioid_table=data.get("opioid_table"),
        unstated=_unstated(data),
    )


def _unknown(described: Any, value: Any, path: str) -> Iterator[str]:
    """Paths of the keys of a value that its description, a schema or a field, does not know."""
    if isinstance(described, fields.List) and isinstance(value, list):
        for i, item in enumerate(value):
            yield from _unknown(described.inner, item, f"{path}{i}.")
    elif isinstance(described, fields.Nested):
        yield from _unknown(described.schema, value, path)
    elif isinstance(described, Lab):
        yield from _unknown(described.schema.schema, value, path)
    elif isinstance(described, Schema) and isinstance(value, dict):
        known = {field.data_key or name: field for name, field in described.fields.items()}
        yield from (f"{path}{key}" for key in value if key not in known)
        for key in known.keys() & value.keys():
            yield from _unknown(known[key], value[key], f"{path}{key}.")
    elif isinstance(value, dict) and (keys := getattr(described, "keys_known", None)):
        yield from (f"{path}{key}" for key in value if key not in keys)


def unknown_keys(body: dict[str, Any], schema: Schema = CASE_SCHEMA) -> Iterator[Notice]:
    """A notice for each key that is not part of the contract: it was ignored, and the sender should know."""
    for path in sorted(_unknown(schema, body, "")):
        message = f"{path} is not part of the contract and was ignored."
        yield Notice("not-covered", path, message, None, ("whatever it was meant for",))
