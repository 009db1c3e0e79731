"""Shape of the files in `formulary/drugs/` and `formulary/classes/`: one schema per table of the file."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from medsafe.library.fields import (
    DIALYSIS_MODALITIES,
    Citations,
    OneOrMore,
    SeverityField,
    Share,
    Strict,
    Words,
    criteria,
    many,
    scope,
    tupled,
)
from medsafe.model.drugs import (
    Allergy,
    Band,
    Caution,
    DoseBeside,
    DoseLimit,
    Drug,
    DrugClass,
    EffectWeight,
    LifetimeLimit,
    Modulator,
    Monitoring,
    OpioidFacts,
    Record,
    RenalRule,
    RouteRule,
    Strength,
    Substrate,
)
from medsafe.model.statements import Severity, Source
from medsafe.model.vocabulary import FORMS, HAZARDS, KINDS, ROUTES, SECTIONS

STRENGTH_WORDS = ("strong", "moderate", "weak")
LABEL_STRENGTHS = tuple(f"{word}-{role}" for word in STRENGTH_WORDS for role in ("inhibitor", "inducer"))
MARGINS = ("narrow", "usual", "wide")
COVERAGE = ("complete", "partial", "gap", "not-applicable")
ACTIONS = ("none", "monitor", "reduce", "extend-interval", "avoid")
REMOVED = ("yes", "no", "partly", "unknown")
TIMINGS = ("after-session", "supplement", "any")
LIMIT_KINDS = ("daily", "single", "interval", "frequency", "naive-daily", "naive-single", "start-daily", "cumulative")
text = fields.String


def words_from(choices: tuple[str, ...]) -> validate.OneOf:
    """One of a closed list of words, named in the error."""
    return validate.OneOf(choices, error="unknown: {input}; expected one of {choices}")


class RecordSchema(Strict):
    written_on = fields.Raw(required=True)
    review_due_on = fields.Raw(required=True)
    second_read_on = fields.Raw(load_default=None)
    clinical_sign_off = text(load_default="")
    disagreements = Words()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Record:
        return Record(**data)


class SourceSchema(Strict):
    title = text(required=True, validate=validate.Length(min=5))
    status = text(required=True, validate=words_from(("opened", "recalled", "derived")))
    url = text(load_default="")
    edition = text(load_default="")
    opened_on = fields.Raw(load_default=None)

    @validates_schema
    def an_opened_source_says_when(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("status") == "opened" and (data.get("opened_on") is None or not data.get("url")):
            raise ValidationError("an opened source needs `opened_on` and `url`", "status")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Source:
        return Source(id="", **data)


class DoseBesideSchema(Strict):
    max_daily_dose = fields.Float(required=True, validate=validate.Range(min=0, min_inclusive=False))
    at = OneOrMore(choices=frozenset(LABEL_STRENGTHS))
    beside = OneOrMore()
    phases = OneOrMore()
    leaves = SeverityField(load_default=Severity.LOW)

    @validates_schema
    def says_beside_what(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("at") and not data.get("beside"):
            raise ValidationError("say beside what: `at` a strength, or `beside` the drugs that the label names", "at")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DoseBeside:
        return DoseBeside(**data)


class SubstrateSchema(Strict):
    pathway = text(required=True)
    share = Share(required=True)
    share_parenteral = Share(load_default=None)
    activation = fields.Boolean(load_default=False)
    at_strength = fields.Dict(
        keys=text(validate=words_from(LABEL_STRENGTHS)), values=SeverityField(), load_default=dict
    )
    advice = Words()
    advice_inhibited = Words()
    advice_induced = Words()
    doses_beside = many(DoseBesideSchema)
    scope = scope()
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Substrate:
        return Substrate(**tupled(data))


class ModulatorSchema(Strict):
    pathway = text(required=True)
    strength = text(required=True, validate=words_from(STRENGTH_WORDS))
    ratio = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False))
    ratio_hepatic = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False))
    onset_days = fields.Float(load_default=None)
    offset_days = fields.Float(load_default=None)
    scope = scope()
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data


class EffectWeightSchema(Strict):
    effect = text(required=True)
    weight = fields.Float(required=True, validate=validate.Range(min=0, max=4))
    scope = scope()
    note = text(load_default="")
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> EffectWeight:
        return EffectWeight(**data)


class BandSchema(Strict):
    action = text(required=True, validate=words_from(ACTIONS))
    from_ = fields.Float(data_key="from", load_default=0.0)
    below = fields.Float(load_default=None)
    severity = SeverityField(load_default=None)
    max_daily_dose = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False))
    max_single_dose = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False))
    min_interval_h = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False))
    dose_factor = fields.Float(load_default=None, validate=validate.Range(min=0, max=1, min_inclusive=False))
    advice = text(load_default="")
    scope = scope()
    sources = Citations()

    @validates_schema
    def says_what_to_do(self, data: dict[str, Any], **_: Any) -> None:
        if data["action"] != "none" and not data.get("advice"):
            raise ValidationError(f"action {data['action']!r} needs `advice`", "advice")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Band:
        return Band(**data)


class DialysisSchema(BandSchema):
    removed = text(load_default="", validate=words_from(REMOVED))
    timing = text(load_default="", validate=words_from(TIMINGS))


class RenalSchema(Strict):
    estimate = text(required=True, validate=words_from(("crcl", "egfr")))
    bands = many(BandSchema, required=True, validate=validate.Length(min=1))
    dialysis = fields.Dict(
        keys=text(validate=words_from(DIALYSIS_MODALITIES)), values=fields.Nested(DialysisSchema), load_default=dict
    )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> RenalRule:
        return RenalRule(**tupled(data))


class DoseLimitSchema(Strict):
    kind = text(required=True, validate=words_from(LIMIT_KINDS))
    max = fields.Float(required=True, validate=validate.Range(min=0, min_inclusive=False))
    per_kg = fields.Boolean(load_default=False)
    per_m2 = fields.Boolean(load_default=False)
    when = criteria()
    scope = scope()
    indications = OneOrMore()
    severity = SeverityField(load_default=DoseLimit("daily", 1).severity)
    advice = text(load_default="")
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DoseLimit:
        return DoseLimit(**tupled(data))


class RouteRuleSchema(Strict):
    routes = OneOrMore(choices=ROUTES)
    forms = OneOrMore(choices=FORMS)
    severity = SeverityField(required=True)
    text = text(required=True)
    management = Words()
    sources = Citations()
    except_names = Words()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> RouteRule:
        return RouteRule(**data)


class CautionSchema(Strict):
    kind = text(required=True, validate=words_from((*KINDS, "drug-vital")))
    hazard = text(required=True, validate=words_from(tuple(sorted(HAZARDS))))
    severity = SeverityField(required=True)
    when = criteria(required=True, validate=validate.Length(min=1))
    text = text(required=True, validate=validate.Length(min=5))
    management = Words(required=True, validate=validate.Length(min=1))
    monitoring = Words()
    scope = scope()
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Caution:
        return Caution(**tupled(data))


class MonitoringSchema(Strict):
    what = text(required=True)
    when = text(load_default="")
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Monitoring:
        return Monitoring(**data)


class OpioidSchema(Strict):
    action = text(
        required=True, validate=words_from(("full", "partial", "mixed", "antagonist", "peripheral-antagonist"))
    )
    strong = fields.Boolean(load_default=False)
    long_acting_forms = OneOrMore(choices=FORMS)
    tolerant_only_forms = OneOrMore(choices=FORMS)
    tolerant_only_routes = OneOrMore(choices=ROUTES)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> OpioidFacts:
        return OpioidFacts(**data)


class StrengthSchema(Strict):
    route = text(required=True, validate=words_from(tuple(sorted(ROUTES))))
    form = text(required=True)
    values = Words(fields.Float(), required=True, validate=validate.Length(min=1))
    unit = text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Strength:
        return Strength(**data)


class KineticsSchema(Strict):
    half_life_h = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False))
    washout_days = fields.Float(load_default=None, validate=validate.Range(min=0))
    toxicity_margin = text(load_default="usual", validate=words_from(MARGINS))
    efficacy_margin = text(load_default="usual", validate=words_from(MARGINS))
    active_metabolites = Words()
    sources = Citations()


class DrugSchema(Strict):
    name = text(required=True)
    kind = text(load_default="drug", validate=words_from(("drug", "substance")))
    synonyms = Words()
    brands = Words()
    classes = Words(required=True, validate=validate.Length(min=1))
    summary = text(required=True)
    plain_language = text(load_default="")
    dose_unit = text(load_default="mg")
    systemic_routes = OneOrMore(choices=ROUTES, required=True)
    local_routes = OneOrMore(choices=ROUTES)
    codes = fields.Dict(
        keys=text(validate=words_from(("rxnorm", "atc", "snomed", "ndc"))), values=Words(), load_default=dict
    )
    record = fields.Nested(RecordSchema, required=True)
    coverage = fields.Dict(
        keys=text(validate=words_from(SECTIONS)), values=text(validate=words_from(COVERAGE)), required=True
    )
    sources = fields.Dict(keys=text(), values=fields.Nested(SourceSchema), load_default=dict)
    kinetics = fields.Nested(KineticsSchema, load_default=dict)
    substrate_of = many(SubstrateSchema)
    inhibits = many(ModulatorSchema)
    induces = many(ModulatorSchema)
    effects = many(EffectWeightSchema)
    renal = fields.Nested(RenalSchema, load_default=None)
    hepatic = fields.Dict(
        keys=text(validate=words_from(("A", "B", "C", "cholestasis"))),
        values=fields.Nested(BandSchema),
        load_default=dict,
    )
    dose_limits = many(DoseLimitSchema)
    route_rules = many(RouteRuleSchema)
    cautions = many(CautionSchema)
    monitoring = many(MonitoringSchema)
    opioid = fields.Nested(OpioidSchema, load_default=None)
    strengths = many(StrengthSchema)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        kinetics = data.pop("kinetics")
        kinetics["kinetics_sources"] = kinetics.pop("sources", ())
        return {**tupled(data), **kinetics}


class AllergySchema(Strict):
    severity = SeverityField(required=True)
    text = text(required=True)
    cross_reacts = fields.List(fields.Dict(), load_default=list)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Allergy:
        rows = tuple(
            (row["class"], SeverityField().deserialize(row["severity"]), row["text"]) for row in data["cross_reacts"]
        )
        return Allergy(data["severity"], data["text"], rows)

    @validates_schema
    def rows_are_whole(self, data: dict[str, Any], **_: Any) -> None:
        for row in data.get("cross_reacts", []):
            if set(row) != {"class", "severity", "text"}:
                raise ValidationError("each row needs class, severity and text, and nothing else", "cross_reacts")


class LifetimeLimitSchema(Strict):
    max = fields.Float(required=True, validate=validate.Range(min=0, min_inclusive=False))
    unit = text(required=True)
    reference = text(required=True)
    per_m2 = fields.Boolean(load_default=False)
    equivalents = fields.Dict(
        keys=text(),
        values=fields.Float(validate=validate.Range(min=0, min_inclusive=False)),
        required=True,
        validate=validate.Length(min=2),
    )
    severity = SeverityField(load_default=DoseLimit("daily", 1).severity)
    harm = text(required=True)
    advice = text(required=True)
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> LifetimeLimit:
        return LifetimeLimit(**data)


class DrugClassSchema(Strict):
    name = text(required=True)
    parents = Words()
    synonyms = Words()
    effects = many(EffectWeightSchema)
    cautions = many(CautionSchema)
    allergy = fields.Nested(AllergySchema, load_default=None)
    duplicate_severity = SeverityField(load_default=None)
    duplicate_text = text(load_default="")
    duplicate_excluding = OneOrMore()
    lifetime_limits = many(LifetimeLimitSchema)
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return tupled(data)


def as_drug(drug_id: str, data: dict[str, Any], modulators: tuple[Modulator, ...]) -> Drug:
    """Build the frozen record of a drug from loaded data."""
    data = {key: value for key, value in data.items() if key not in ("inhibits", "induces")}
    sources = {
        key: Source(f"{drug_id}/{key}", s.title, s.status, s.url, s.edition, s.opened_on)
        for key, s in data.pop("sources").items()
    }
    return Drug(id=drug_id, modulates=modulators, sources=sources, **data)


def as_class(class_id: str, data: dict[str, Any]) -> DrugClass:
    """Build the frozen record of a class from loaded data."""
    return DrugClass(id=class_id, **data)
