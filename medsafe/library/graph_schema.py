"""Shape of the files in `interaction_data/`, `formulary/symptoms/` and the shared tables."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from medsafe.library.drug_schema import RecordSchema, words_from
from medsafe.library.fields import (
    Citations,
    GuidanceMixin,
    ModifierSchema,
    OneOrMore,
    SeverityField,
    Strict,
    Words,
    criteria,
    many,
    scope,
    take_guidance,
    tupled,
)
from medsafe.model.knowledge import (
    Condition,
    ContributorAdvice,
    Effect,
    Interaction,
    OpioidRule,
    PairEnd,
    Pathway,
    StoppingRule,
    Threshold,
)
from medsafe.model.options import Exclusion, Option, OrderTemplate, Preference, Symptom
from medsafe.model.statements import Guidance
from medsafe.model.vocabulary import ACTIONS, HAZARDS, KINDS, ROUTES

text = fields.String


class PathwaySchema(Strict):
    name = text(required=True)
    kind = text(required=True, validate=words_from(("enzyme", "transporter", "absorption")))
    turnover_half_life_h = fields.Float(load_default=None)
    hazard_decrease = text(load_default="exposure-decrease")
    default_inhibition = fields.Dict(
        keys=text(validate=words_from(("strong", "moderate", "weak"))), values=fields.Float(), load_default=dict
    )
    default_induction = fields.Dict(
        keys=text(validate=words_from(("strong", "moderate", "weak"))), values=fields.Float(), load_default=dict
    )
    gene = text(load_default="")
    genotype_activity = fields.Dict(keys=text(), values=fields.Float(), load_default=dict)
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return tupled(data)


class ThresholdSchema(Strict):
    score = fields.Float(required=True)
    severity = SeverityField(required=True)
    min_drugs = fields.Integer(load_default=2, validate=validate.Range(min=1))
    min_heaviest = fields.Float(load_default=0.0)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Threshold:
        return Threshold(**data)


class ContributorAdviceSchema(Strict):
    ids = OneOrMore(required=True)
    text = text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ContributorAdvice:
        return ContributorAdvice(**data)


class EffectSchema(GuidanceMixin):
    name = text(required=True)
    hazard = text(required=True, validate=words_from(tuple(sorted(HAZARDS))))
    combine = text(required=True, validate=words_from(("sum", "max", "max-plus-one")))
    min_weight = fields.Float(load_default=0.5)
    count_at_most = fields.Dict(keys=text(), values=fields.Integer(validate=validate.Range(min=1)), load_default=dict)
    thresholds = many(ThresholdSchema, required=True, validate=validate.Length(min=1))
    modifiers = many(ModifierSchema)
    advice = many(ContributorAdviceSchema)
    soften_at_end_of_life = fields.Boolean(load_default=False)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return tupled({"guidance": take_guidance(data), **data})


class OpioidRuleSchema(GuidanceMixin):
    hazard = text(required=True, validate=words_from(tuple(sorted(HAZARDS))))
    severity = SeverityField(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"guidance": take_guidance(data), **data}


class PairEndSchema(Strict):
    ids = OneOrMore(required=True)
    excluding = OneOrMore()
    scope = scope()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> PairEnd:
        return PairEnd(**data)


class InteractionSchema(GuidanceMixin):
    kind = text(load_default="interaction", validate=words_from(KINDS))
    hazard = text(required=True, validate=words_from(tuple(sorted(HAZARDS))))
    severity = SeverityField(required=True)
    needs = many(PairEndSchema, required=True, validate=validate.Length(min=1))
    absent = OneOrMore()
    when = criteria()
    modifiers = many(ModifierSchema)
    absorbs = OneOrMore(choices=HAZARDS)
    overrides = OneOrMore()
    washout_days = fields.Float(load_default=None, validate=validate.Range(min=0))
    soften_at_end_of_life = fields.Boolean(load_default=False)
    record = fields.Nested(RecordSchema, load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return tupled({"guidance": take_guidance(data), **data})


class StoppingRuleSchema(GuidanceMixin):
    ids = OneOrMore(required=True)
    excluding = OneOrMore()
    scope = scope()
    severity = SeverityField(required=True)
    after_days = fields.Float(required=True, validate=validate.Range(min=0))
    within_days = fields.Float(required=True, validate=validate.Range(min=0))
    sharp_cut = fields.Float(load_default=None, validate=validate.Range(min=0, max=1))
    covered_by = OneOrMore()
    never_at_once = fields.Boolean(load_default=False)
    modifiers = many(ModifierSchema)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        end = PairEnd(*(data.pop(key) for key in ("ids", "excluding", "scope")))
        return tupled({"guidance": take_guidance(data), "end": end, **data})


class ConditionSchema(Strict):
    name = text(required=True)
    synonyms = Words()
    icd10 = Words()
    snomed = Words()
    implies = Words()
    derived_from = criteria()
    passing_days = fields.Integer(load_default=None, validate=validate.Range(min=1))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return tupled(data)


class OrderTemplateSchema(Strict):
    dose = fields.Float(required=True, validate=validate.Range(min=0, min_inclusive=False))
    unit = text(required=True)
    route = text(required=True, validate=words_from(tuple(sorted(ROUTES))))
    form = text(load_default="")
    times_per_day = fields.Float(load_default=None)
    interval_h = fields.Float(load_default=None)
    prn = fields.Boolean(load_default=False)
    max_times_per_day = fields.Float(load_default=None)
    when = criteria()

    @validates_schema
    def says_how_often(self, data: dict[str, Any], **_: Any) -> None:
        given = [key for key in ("times_per_day", "interval_h", "max_times_per_day") if data.get(key) is not None]
        if not given and "/h" not in data.get("unit", "") and "/24" not in data.get("unit", ""):
            raise ValidationError(
                "say how often: times_per_day, interval_h, or max_times_per_day with prn, or a rate unit"
            )

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> OrderTemplate:
        return OrderTemplate(**tupled(data))


class PreferenceSchema(Strict):
    when = criteria(required=True, validate=validate.Length(min=1))
    points = fields.Float(required=True)
    because = text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Preference:
        return Preference(**tupled(data))


class ExclusionSchema(Strict):
    when = criteria(required=True, validate=validate.Length(min=1))
    because = text(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Exclusion:
        return Exclusion(**tupled(data))


class OptionSchema(Strict):
    id = text(required=True)
    action = text(required=True, validate=words_from(ACTIONS))
    label = text(required=True, validate=validate.Length(max=139))
    rationale = text(required=True)
    benefit = fields.Float(required=True, validate=validate.Range(min=0, max=10))
    burden = fields.Float(load_default=0.0, validate=validate.Range(min=0, max=10))
    opioid_sparing = fields.Float(load_default=0.0, validate=validate.Range(min=0, max=10))
    drug = text(load_default=None)
    orders = many(OrderTemplateSchema)
    max_daily_dose = fields.Float(load_default=None)
    titration = text(load_default="")
    review_after = text(load_default="")
    evidence = text(load_default="")
    cause = text(load_default="")
    when = criteria()
    preferences = many(PreferenceSchema)
    exclusions = many(ExclusionSchema)
    accepts = OneOrMore(choices=HAZARDS)
    titrates = fields.Boolean(load_default=False)
    sources = Citations(required=True)

    @validates_schema
    def a_titrated_drug_has_a_ceiling(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("titrates") and not (data.get("drug") and data.get("max_daily_dose")):
            raise ValidationError("what is titrated needs a drug and a max_daily_dose", "titrates")

    @validates_schema
    def a_drug_has_an_order(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("drug") and data.get("action") in ("start", "co-prescribe") and not data.get("orders"):
            raise ValidationError("a drug to start needs at least one order", "orders")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Option:
        return Option(**tupled(data))


class AdviceSchema(GuidanceMixin):
    """The words for a kind of rule; the summary, and what to do, are those of the rule's record unless they are given here."""

    summary = fields.String(load_default="", validate=validate.Length(max=139))
    management = Words()


class StepSchema(Strict):
    """The words are templates, so their length is that of a label before it is filled in."""

    action = text(required=True, validate=words_from(ACTIONS))
    label = text(required=True, validate=validate.Length(max=139))
    rationale = text(required=True)
    benefit = fields.Float(required=True, validate=validate.Range(min=0, max=10))
    burden = fields.Float(load_default=0.0, validate=validate.Range(min=0, max=10))
    titration = text(load_default="")
    review_after = text(load_default="")
    when = criteria()
    sources = Citations(required=True)


class SymptomSchema(Strict):
    name = text(required=True)
    synonyms = Words()
    parents = Words()
    opioid_responsive = text(load_default="no", validate=words_from(("yes", "partly", "poorly", "no")))
    shows = Words()
    options = many(OptionSchema)
    assess = Words()
    caused_by = OneOrMore(choices=HAZARDS)
    excess_of = OneOrMore(choices=HAZARDS)
    kin_is_for_it = fields.Boolean(load_default=False)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return tupled(data)


def as_pathway(key: str, data: dict[str, Any]) -> Pathway:
    return Pathway(id=key, **data)


def as_effect(key: str, data: dict[str, Any]) -> Effect:
    return Effect(id=key, **data)


def as_interaction(key: str, data: dict[str, Any]) -> Interaction:
    return Interaction(id=key, **data)


def as_condition(key: str, data: dict[str, Any]) -> Condition:
    return Condition(id=key, **data)


def as_symptom(key: str, data: dict[str, Any]) -> Symptom:
    return Symptom(id=key, **data)


def as_stopping_rule(key: str, data: dict[str, Any]) -> StoppingRule:
    return StoppingRule(id=key, **data)


def as_advice(key: str, data: dict[str, Any]) -> Guidance:
    """The words for a kind of rule."""
    return take_guidance(data)


def as_step(key: str, data: dict[str, Any]) -> Option:
    """A step that is worked out: an option whose words are still to be filled in."""
    return Option(id=key, **tupled(data))


def as_opioid_rule(key: str, data: dict[str, Any]) -> OpioidRule:
    return OpioidRule(id=key, **data)
