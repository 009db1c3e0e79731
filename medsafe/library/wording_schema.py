"""Shape of `formulary/wording.toml`: how people write phenotypes, allergies and reactions."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load

from medsafe.library.fields import Citations, SeverityField, Strict, Words, many
from medsafe.model.wording import Allergen, ClassReaction, Negation, PseudoAllergy, Wording

text = fields.String


class AllergenSchema(Strict):
    synonyms = Words(required=True)
    drugs = Words()
    condition = text(load_default="")
    severity = SeverityField(load_default=None)
    text = text(required=True)
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Allergen:
        return Allergen(**data)


class ClassReactionSchema(Strict):
    words = Words(required=True)
    class_ = text(data_key="class", required=True)
    severity = SeverityField(required=True)
    text = text(required=True)
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ClassReaction:
        return ClassReaction(**data)


class PseudoAllergySchema(Strict):
    words = Words(required=True)
    class_ = text(data_key="class", required=True)
    text = text(required=True)
    sources = Citations()

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> PseudoAllergy:
        return PseudoAllergy(**data)


class AllergyWordsSchema(Strict):
    none = Words(required=True)
    noise = Words(required=True)
    intolerance = Words(required=True)
    severe = Words(required=True)


class NegationSchema(Strict):
    what_follows = Words(required=True)
    what_precedes = Words(required=True)
    whole_statement = Words(required=True)
    what_it_closes = Words(required=True)
    clear = Words(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Negation:
        return Negation(**data)


class NoiseSchema(Strict):
    words = Words(required=True)


def _table(values: fields.Field[Any]) -> fields.Dict:
    return fields.Dict(keys=text(), values=values, required=True)


class WordingSchema(Strict):
    phenotypes = _table(Words())
    phenotype_noise = fields.Nested(NoiseSchema, required=True)
    phenotype_of_gene = _table(fields.Dict(keys=text(), values=text()))
    alleles = _table(fields.Dict(keys=text(), values=fields.Float()))
    scores = _table(fields.List(fields.Tuple((fields.Float(), text()))))
    negation = fields.Nested(NegationSchema, required=True)
    allergies = fields.Nested(AllergyWordsSchema, required=True)
    sedation = _table(Words())
    allergens = _table(fields.Nested(AllergenSchema))
    class_reactions = many(ClassReactionSchema)
    pseudo_allergies = many(PseudoAllergySchema)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Wording:
        words = data["allergies"]
        return Wording(
            phenotypes={word: name for name, spellings in data["phenotypes"].items() for word in spellings},
            phenotype_noise=frozenset(data["phenotype_noise"]["words"]),
            phenotype_of_gene=data["phenotype_of_gene"],
            alleles=data["alleles"],
            scores={gene: tuple(rows) for gene, rows in data["scores"].items()},
            negation=data["negation"],
            no_allergy=frozenset(words["none"]),
            allergy_noise=frozenset(words["noise"]),
            sedation={word: level for level, spellings in data["sedation"].items() for word in (level, *spellings)},
            intolerance=tuple(words["intolerance"]),
            severe_reactions=tuple(words["severe"]),
            allergens=data["allergens"],
            class_reactions=tuple(data["class_reactions"]),
            pseudo_allergies=tuple(data["pseudo_allergies"]),
        )
