"""Genotypes as laboratories and people write them → phenotypes as the records name them. What is not understood is told.

A result that is not understood must never read as normal: fluoropyrimidines kill those without DPD activity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from medsafe.model.criteria import FactValue
from medsafe.model.findings import Notice
from medsafe.model.wording import Wording

HLA = re.compile(r"^hla[ -]?([abc])", re.IGNORECASE)
HLA_ALLELE = re.compile(r"(\d{2,3})[:_ ]?(\d{2})")
ALLELES = re.compile(r"[\s,;()/|]+")
WILD_TYPE = "*1"
HETEROZYGOUS, HOMOZYGOUS = frozenset({"heterozygous", "het"}), frozenset({"homozygous", "hom"})
ALLELE_NOISE = frozenset({"variant", "carrier", "detected", "allele", "alleles", "-", ":", "="})
# A dash breaks only words: "poor-metabolizer", not "-" that stands for negative.
WORD_BREAKS = re.compile(r"[\s,;()]+|(?<=[a-z])-(?=[a-z])")


def _spelled(text: str, wording: Wording, gene: str) -> str:
    """The text in lower case, without the gene's name and words such as "metaboliser"."""
    words = (word for word in WORD_BREAKS.split(text.casefold().replace("_", " ")) if word)
    return " ".join(word for word in words if word not in wording.phenotype_noise and word != gene)


def _by_alleles(text: str, gene: str, wording: Wording) -> str | None:
    """The phenotype of two alleles whose activities are on record; of one, where it is said to be on one copy or on both."""
    known = wording.alleles.get(gene, {})
    said = [part for part in ALLELES.split(text.casefold().replace(gene, " ")) if part]
    alleles = [part for part in said if part in known]
    rest = {part for part in said if part not in known} - wording.phenotype_noise - ALLELE_NOISE
    if len(alleles) == 1 and rest and rest <= HETEROZYGOUS and WILD_TYPE in known:
        alleles, rest = [*alleles, WILD_TYPE], set()
    elif len(alleles) == 1 and rest and rest <= HOMOZYGOUS:
        alleles, rest = alleles * 2, set()
    elif len(alleles) == 2 and (alleles[0] == alleles[1] or rest <= HETEROZYGOUS):
        rest -= HOMOZYGOUS if alleles[0] == alleles[1] else HETEROZYGOUS
    if len(alleles) != 2 or rest:
        return None
    score = sum(known[part] for part in alleles)
    return next((name for at_most, name in wording.scores.get(gene, ()) if score <= at_most), None)


def _by_score(text: str, gene: str, wording: Wording) -> str | None:
    """The phenotype of an activity score, such as "activity score 0.5"."""
    match = re.fullmatch(r"(?:activity )?(?:score|as)?\s*[:=]?\s*(\d+(?:\.\d+)?)", text.casefold().strip())
    if match is None:
        return None
    score = float(match.group(1))
    return next((name for at_most, name in wording.scores.get(gene, ()) if score <= at_most), None)


def phenotype_of(gene: str, text: str, wording: Wording) -> str | None:
    """What a result says of a gene, in the words of the records; None when it is not understood."""
    gene = gene.casefold().strip()
    spelled = _spelled(text, wording, gene)
    name = wording.phenotypes.get(spelled) or wording.phenotypes.get(spelled.replace(" ", "-"))
    name = name or _by_alleles(text, gene, wording) or _by_score(text, gene, wording)
    return wording.phenotype_of_gene.get(gene, {}).get(name, name) if name else None


def _hla(gene: str, text: str, wording: Wording) -> tuple[str, str] | None:
    """(fact, positive or negative) of an HLA allele, named in the gene or in the result."""
    locus = HLA.match(gene.strip())
    allele = HLA_ALLELE.search(gene) or HLA_ALLELE.search(text)
    if locus is None or allele is None:
        return None
    rest = HLA_ALLELE.sub(" ", text.casefold()).replace("*", " ").replace("hla-b", " ").replace("hla-a", " ")
    spelled = _spelled(rest, wording, gene.casefold())
    sign = "negative" if spelled in HLA_ABSENT else wording.phenotypes.get(spelled, "positive")
    return f"hla-{locus.group(1).casefold()}-{allele.group(1)}{allele.group(2)}", sign


# "absent" and "no" mean no activity of an enzyme, and that an HLA allele was not found.
HLA_ABSENT = frozenset({"absent", "no", "none", "negative", "neg", "-", "not detected", "not present"})


def read_genotypes(given: Mapping[str, str], wording: Wording, facts: dict[str, FactValue]) -> Iterator[Notice]:
    """Put every genotype that is understood among the facts; a notice for each that is not."""
    for gene, text in sorted(given.items()):
        if HLA.match(gene.strip()):
            found = _hla(gene, text, wording)
            if found is not None:
                facts[f"genotype.{found[0]}"] = found[1]
                continue
        else:
            phenotype = phenotype_of(gene, text, wording)
            if phenotype is not None:
                facts[f"genotype.{gene.casefold().strip()}"] = phenotype
                continue
        message = (
            f"The result “{text}” for {gene} is not understood, so no medicine was checked against it. "
            "Give the phenotype: poor, intermediate, normal, rapid, ultrarapid, deficient, or for HLA positive or negative."
        )
        yield Notice("missing-data", f"patient.genotypes.{gene}", message, text, ("pharmacogenomic",))


def unused_genotypes(
    given: Mapping[str, str], facts: Mapping[str, FactValue], asked: frozenset[str]
) -> Iterator[Notice]:
    """A notice for each genotype that was understood and that no record or pathway asks for."""
    for gene in sorted(given):
        hla = HLA.match(gene.strip())
        names = [f for f in facts if f.startswith(f"genotype.hla-{hla[1].casefold()}-")] if hla else []
        names = names or [f"genotype.{gene.casefold().strip()}"]
        if any(name in facts for name in names) and not any(name in asked for name in names):
            message = f"No record here asks for {gene}, so no medicine was checked against it."
            yield Notice(
                "not-covered", f"patient.genotypes.{gene}", message, given[gene], ("pharmacogenomic",), (), False
            )
