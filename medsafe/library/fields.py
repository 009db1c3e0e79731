"""Marshmallow fields and schemas for the small pieces that every data file is made of."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from medsafe.model.criteria import Criterion
from medsafe.model.statements import ANY_ORDER, Citation, Guidance, Modifier, Scope, Severity
from medsafe.model.vocabulary import DIALYSIS, FACTS, FORMS, ROUTES, SEVERITY_WORDS

SHARES = {"major": 0.8, "moderate": 0.4, "minor": 0.15}


class Strict(Schema):
    """A table of a data file: unknown keys are refused, so that a slip of the keyboard shows at once."""

    class Meta:
        unknown = RAISE


class Words(fields.List[Any]):
    """A list of words that becomes a tuple."""

    def __init__(self, inner: fields.Field[Any] | None = None, **kwargs: Any) -> None:
        if not kwargs.get("required"):
            kwargs.setdefault("load_default", ())
        super().__init__(inner or fields.String(validate=validate.Length(min=1)), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class OneOrMore(fields.Field[Any]):
    """A word or a list of words that becomes a frozen set."""

    def __init__(self, choices: frozenset[str] | None = None, **kwargs: Any) -> None:
        if not kwargs.get("required"):
            kwargs.setdefault("load_default", frozenset())
        self.choices = choices
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> frozenset[str]:
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
            raise ValidationError("expected a word or a list of words")
        unknown = [word for word in words if self.choices is not None and word not in self.choices]
        if unknown:
            raise ValidationError(
                f"unknown: {', '.join(unknown)}; expected one of {', '.join(sorted(self.choices or ()))}"
            )
        return frozenset(words)


class SeverityField(fields.Field[Severity]):
    """low, moderate, high or critical."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Severity:
        if value not in SEVERITY_WORDS:
            raise ValidationError(f"unknown severity {value!r}; expected one of {', '.join(SEVERITY_WORDS)}")
        return Severity[str(value).upper()]


class Share(fields.Field[float]):
    """A share from 0 to 1, or one of the words major, moderate, minor."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        if isinstance(value, str) and value in SHARES:
            return SHARES[value]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ValidationError(f"expected a number from 0 to 1, or one of {', '.join(SHARES)}")
        return float(value)


class Citations(fields.Field[tuple[Citation, ...]]):
    """A list of `<source-id>#<section>`."""

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("required"):
            kwargs.setdefault("load_default", ())
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[Citation, ...]:
        if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
            raise ValidationError('expected a list like ["us-label#5.2"]')
        return tuple(Citation(*(text.split("#", 1))) for text in value)


class ScopeSchema(Strict):
    routes = OneOrMore(choices=ROUTES)
    forms = OneOrMore(choices=FORMS)
    daily_dose_at_least = fields.Float(load_default=None, validate=validate.Range(min=0))
    daily_dose_below = fields.Float(load_default=None, validate=validate.Range(min=0, min_inclusive=False))
    single_dose_only = fields.Boolean(load_default=False)
    regular_only = fields.Boolean(load_default=False)
    occasional_only = fields.Boolean(load_default=False)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Scope:
        return Scope(**data)


class CriterionSchema(Strict):
    fact = fields.String(load_default=None)
    below = fields.Float(load_default=None)
    at_most = fields.Float(load_default=None)
    above = fields.Float(load_default=None)
    at_least = fields.Float(load_default=None)
    is_ = OneOrMore(data_key="is")
    condition = OneOrMore()
    no_condition = OneOrMore()
    medicine = OneOrMore()
    no_medicine = OneOrMore()
    symptom = fields.String(load_default=None)
    symptom_at_least = fields.Float(load_default=None)

    @validates_schema
    def sense(self, data: dict[str, Any], **_: Any) -> None:
        bounds = [key for key in ("below", "at_most", "above", "at_least") if data.get(key) is not None]
        fact = data.get("fact")
        if fact is None and (bounds or data.get("is_")):
            raise ValidationError("a bound or `is` needs a `fact`")
        if fact is not None and not (bounds or data.get("is_")):
            raise ValidationError("a `fact` needs a bound (below, at_most, above, at_least) or `is`")
        if fact is not None and fact not in FACTS and not fact.startswith("genotype."):
            raise ValidationError(
                f"unknown fact {fact!r}; expected one of {', '.join(sorted(FACTS))} or genotype.<gene>"
            )
        if data.get("symptom_at_least") is not None and data.get("symptom") is None:
            raise ValidationError("`symptom_at_least` needs a `symptom`")
        if not any(
            data.get(key) for key in ("fact", "condition", "no_condition", "medicine", "no_medicine", "symptom")
        ):
            raise ValidationError("an empty criterion always holds: say what it tests")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Criterion:
        return Criterion(**data)


class ModifierSchema(Strict):
    when = fields.List(fields.Nested(CriterionSchema), required=True, validate=validate.Length(min=1))
    text = fields.String(required=True, validate=validate.Length(min=3))
    points = fields.Float(load_default=0.0)
    step = fields.Integer(load_default=0, validate=validate.Range(min=-2, max=2))
    severity = SeverityField(load_default=None)
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Modifier:
        return Modifier(**{**data, "when": tuple(data["when"])})


def criteria(**kwargs: Any) -> fields.List[Any]:
    """A `when` list: criteria that must all hold."""
    if not kwargs.get("required"):
        kwargs.setdefault("load_default", list)
    return fields.List(fields.Nested(CriterionSchema), **kwargs)


def scope() -> fields.Nested:
    """A `scope` table; without one every order is meant."""
    return fields.Nested(ScopeSchema, load_default=ANY_ORDER)


def many(schema: type[Schema], **kwargs: Any) -> fields.List[Any]:
    """A list of tables that becomes a tuple."""
    if not kwargs.get("required"):
        kwargs.setdefault("load_default", list)
    return fields.List(fields.Nested(schema), **kwargs)


class GuidanceMixin(Strict):
    """The words of a finding, shared by effects, pairs and patterns."""

    summary = fields.String(required=True, validate=validate.Length(min=5, max=139))
    consequence = fields.String(load_default="")
    mechanism = fields.String(load_default="")
    management = Words(required=True, validate=validate.Length(min=1))
    monitoring = Words()
    evidence = fields.String(load_default="")
    sources = Citations(required=True)


GUIDANCE_KEYS = ("summary", "consequence", "mechanism", "management", "monitoring", "evidence", "sources")


def take_guidance(data: dict[str, Any]) -> Guidance:
    """Move the words of a finding out of loaded data into a Guidance."""
    return Guidance(**{key: data.pop(key) for key in GUIDANCE_KEYS if key in data})


def tupled(data: dict[str, Any]) -> dict[str, Any]:
    """Freeze every list of loaded data."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


DIALYSIS_MODALITIES = tuple(sorted(DIALYSIS - {"none"}))
