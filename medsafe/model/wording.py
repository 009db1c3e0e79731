"""How people write what is not a drug: phenotypes, allergies, reactions; as loaded from `formulary/wording.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from medsafe.model.statements import Citation, Severity


@dataclass(frozen=True, slots=True)
class Allergen:
    """A substance that is no drug of ours: drugs that contain it, or the condition that stands for it in cautions."""

    synonyms: tuple[str, ...]
    text: str
    drugs: tuple[str, ...] = ()
    condition: str = ""
    severity: Severity | None = None
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassReaction:
    """A reaction to one member of a class that is to be expected of the others."""

    words: tuple[str, ...]
    class_: str
    severity: Severity
    text: str
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class PseudoAllergy:
    """A reaction that looks like allergy and in this class mostly is none."""

    words: tuple[str, ...]
    class_: str
    text: str
    sources: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class Negation:
    """Words that deny what follows them in a clause, the clause they are in, what goes before them only, or all.

    `clear`: an entry of one clause that begins so is nobody's question.
    """

    what_follows: tuple[str, ...] = ()
    what_precedes: tuple[str, ...] = ()
    whole_statement: tuple[str, ...] = ()
    what_it_closes: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """All words of one version of the knowledge.

    `phenotypes` maps a spelling to the phenotype as records name it; `alleles` gene → allele → activity; `scores` gene →
    rows of (score at most, phenotype) from low to high.
    """

    phenotypes: Mapping[str, str] = field(default_factory=dict)
    phenotype_noise: frozenset[str] = frozenset()
    phenotype_of_gene: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    alleles: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    scores: Mapping[str, tuple[tuple[float, str], ...]] = field(default_factory=dict)
    negation: Negation = Negation()
    no_allergy: frozenset[str] = frozenset()
    allergy_noise: frozenset[str] = frozenset()
    sedation: Mapping[str, str] = field(default_factory=dict)
    intolerance: tuple[str, ...] = ()
    severe_reactions: tuple[str, ...] = ()
    allergens: Mapping[str, Allergen] = field(default_factory=dict)
    class_reactions: tuple[ClassReaction, ...] = ()
    pseudo_allergies: tuple[PseudoAllergy, ...] = ()
