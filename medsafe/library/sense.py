"""Sense of the data: one small function per rule, each told the whole Knowledge and answering with problems.

The shape of a file (keys, types, words) has been checked before; these rules look across files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from medsafe.library.policy_sense import advice_is_whole, order_entry_is_whole, policy_is_whole, steps_are_whole
from medsafe.library.problems import Problem
from medsafe.model.criteria import Criterion
from medsafe.model.drugs import Band, Drug
from medsafe.model.knowledge import ConversionRow, Interaction, Knowledge
from medsafe.model.statements import Citation
from medsafe.model.vocabulary import CHILD_PUGH, SECTIONS
from medsafe.opioids.base import one_way
from medsafe.opioids.totals import TO_MORPHINE

Rule = Callable[[Knowledge], Iterable[Problem]]
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _drug_file(drug: Drug) -> str:
    return f"formulary/drugs/{drug.id}.toml"


def _record_file(record: Interaction) -> str:
    room = "pairs" if "__" in record.id else "patterns"
    return f"interaction_data/{room}/{record.id}.toml"


def ids_are_kebab_case(k: Knowledge) -> Iterator[Problem]:
    for kind, ids in (("drugs", k.drugs), ("classes", k.classes), ("symptoms", k.symptoms)):
        for key in ids:
            if not KEBAB.fullmatch(key):
                yield Problem(
                    f"formulary/{kind}/{key}.toml",
                    "",
                    f"file name {key!r} is not an id",
                    "lower-case kebab-case",
                    "rename the file",
                )


def drug_classes_exist(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        for name in drug.classes:
            if name not in k.classes:
                near = ", ".join(get_close_matches(name, k.classes, cutoff=0.5)) or "one of formulary/classes/"
                tip = f"use {near}; or add formulary/classes/{name}.toml"
                yield Problem(_drug_file(drug), "classes", f"unknown class {name!r}", "the id of a class", tip)


def class_tree_is_acyclic(k: Knowledge) -> Iterator[Problem]:
    for start in k.classes:
        seen: set[str] = set()
        todo = list(k.classes[start].parents)
        while todo:
            name = todo.pop()
            if name == start:
                yield Problem(
                    f"formulary/classes/{start}.toml",
                    "parents",
                    "the class is its own ancestor",
                    "a tree",
                    "remove a parent",
                )
                break
            if name not in seen and name in k.classes:
                seen.add(name)
                todo.extend(k.classes[name].parents)


def class_parents_exist(k: Knowledge) -> Iterator[Problem]:
    for item in k.classes.values():
        for parent in item.parents:
            if parent not in k.classes:
                tip = f"mend the spelling, or add formulary/classes/{parent}.toml"
                file = f"formulary/classes/{item.id}.toml"
                yield Problem(file, "parents", f"unknown class {parent!r}", "the id of a class", tip)


def drugs_and_classes_differ(k: Knowledge) -> Iterator[Problem]:
    for key in sorted(k.drugs.keys() & k.classes.keys()):
        yield Problem(
            f"formulary/classes/{key}.toml",
            "",
            f"{key!r} is a drug and a class",
            "one meaning per id",
            "rename the class (plural)",
        )


def pathways_exist(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        edges = [("substrate_of", e.pathway) for e in drug.substrate_of]
        edges += [("induces" if e.induces else "inhibits", e.pathway) for e in drug.modulates]
        for section, pathway in edges:
            if pathway not in k.pathways:
                tip = "known: " + ", ".join(sorted(k.pathways))
                yield Problem(
                    _drug_file(drug),
                    section,
                    f"unknown pathway {pathway!r}",
                    "an id of interaction_data/pathways.toml",
                    tip,
                )


def shares_do_not_exceed_the_whole(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        total = sum(
            e.share
            for e in drug.substrate_of
            if not e.activation
            and k.pathways.get(e.pathway, None) is not None
            and k.pathways[e.pathway].kind == "enzyme"
            and not e.scope.routes
            and e.scope.daily_dose_below is None  # of lower doses another row speaks in the place of this one
        )
        if total > 1.1:
            yield Problem(
                _drug_file(drug),
                "substrate_of",
                f"enzyme shares add up to {total:.2f}",
                "at most 1",
                "shares are parts of one clearance",
            )


def doses_beside_name_what_acts(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        for edge in drug.substrate_of:
            for name in sorted(frozenset().union(*(dose.beside for dose in edge.doses_beside))):
                other = k.drugs.get(name)
                if other is None or all(m.pathway != edge.pathway for m in other.modulates):
                    yield Problem(
                        _drug_file(drug),
                        "substrate_of.doses_beside",
                        f"{name!r} does nothing to {edge.pathway!r}",
                        "a drug that inhibits or induces the pathway",
                        "mend the spelling, or move the dose to the pathway that it acts on",
                    )


def effects_exist(k: Knowledge) -> Iterator[Problem]:
    owners = [(_drug_file(d), d.effects) for d in k.drugs.values()]
    owners += [(f"formulary/classes/{c.id}.toml", c.effects) for c in k.classes.values()]
    for file, effects in owners:
        for effect in effects:
            if effect.effect not in k.effects:
                tip = "known: " + ", ".join(sorted(k.effects))
                yield Problem(
                    file, "effects", f"unknown effect {effect.effect!r}", "an id of interaction_data/effects/", tip
                )


def advice_names_known_ids(k: Knowledge) -> Iterator[Problem]:
    for effect in k.effects.values():
        for unknown in sorted(set().union(*(a.ids for a in effect.advice)) - k.drugs.keys() - k.classes.keys()):
            file, tip = f"interaction_data/effects/{effect.id}.toml", "a misspelt id would never be told"
            yield Problem(file, "advice", f"unknown id {unknown!r}", "the id of a drug or class", tip)


def counted_classes_exist(k: Knowledge) -> Iterator[Problem]:
    for effect in k.effects.values():
        for unknown in sorted(effect.count_at_most.keys() - k.classes.keys()):
            file, tip = f"interaction_data/effects/{effect.id}.toml", "every member of a misspelt class would count"
            yield Problem(file, "count_at_most", f"unknown class {unknown!r}", "the id of a class", tip)


def renal_bands_cover_every_value(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        if drug.renal is not None:
            groups: dict[object, list[Band]] = {}
            for band in drug.renal.bands:
                groups.setdefault(band.scope, []).append(band)
            for bands in groups.values():
                yield from _gaps(drug, sorted(bands, key=lambda band: band.from_))


def _gaps(drug: Drug, bands: list[Band]) -> Iterator[Problem]:
    edge: float | None = 0.0
    for band in bands:
        if edge is None or band.from_ != edge:
            wrong = f"band from {band.from_:g} does not start where the one below ends ({'open' if edge is None else f'{edge:g}'})"
            yield Problem(
                _drug_file(drug),
                "renal.bands",
                wrong,
                "bands from 0 upward without gap or overlap",
                "set from/below to meet",
            )
            return
        edge = band.below
    if edge is not None:
        yield Problem(
            _drug_file(drug),
            "renal.bands",
            f"no band from {edge:g} upward",
            "a last band without `below`",
            'add action = "none"',
        )


def dialysis_timing_makes_sense(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        for modality, band in drug.renal.dialysis.items() if drug.renal else ():
            place = f"renal.dialysis.{modality}.timing"
            if band.timing in ("after-session", "supplement") and modality == "crrt":
                wrong, tip = f"{band.timing!r}: continuous replacement has no sessions", "leave it out, or say any"
                yield Problem(_drug_file(drug), place, wrong, "a timing that fits the modality", tip)
            if band.timing == "supplement" and band.removed == "no":
                wrong, tip = "a supplement of what is not removed", "read the source again: one of the two is wrong"
                yield Problem(_drug_file(drug), place, wrong, "removed yes or partly beside a supplement", tip)


def lifetime_limits_name_members(k: Knowledge) -> Iterator[Problem]:
    for item in k.classes.values():
        for limit in item.lifetime_limits:
            for drug_id in sorted(limit.equivalents):
                if drug_id not in k.drugs or item.id not in k.drugs[drug_id].classes:
                    file, tip = f"formulary/classes/{item.id}.toml", "a misspelt drug would not be added up"
                    wrong = f"{drug_id!r} is no drug of this class"
                    yield Problem(file, "lifetime_limits.equivalents", wrong, "ids of drugs of the class", tip)


STRICTNESS = {"none": 0, "monitor": 1, "extend-interval": 2, "reduce": 2, "avoid": 3}


def _more_permissive(bands: list[Band]) -> Iterator[tuple[Band, Band]]:
    """Neighbours, from better to worse function, of which the worse is treated less strictly."""
    for better, worse in pairwise(bands):
        if STRICTNESS[worse.action] < STRICTNESS[better.action]:
            yield better, worse


def worse_function_is_never_treated_more_permissively(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        rows = [("hepatic", [drug.hepatic[g] for g in "ABC" if g in drug.hepatic])]
        renal = drug.renal.bands if drug.renal else ()
        for scope in dict.fromkeys(band.scope for band in renal):
            rows.append(("renal.bands", sorted((b for b in renal if b.scope == scope), key=lambda b: -b.from_)))
        for section, bands in rows:
            for better, worse in _more_permissive(bands):
                wrong = f"{worse.action!r} follows {better.action!r} although function is worse"
                tip = "where the worse band was not studied, keep at least what holds for the better one"
                yield Problem(_drug_file(drug), section, wrong, "bands that grow stricter as function falls", tip)


def routes_are_either_systemic_or_local(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        for route in sorted(drug.systemic_routes & drug.local_routes):
            wrong = f"{route!r} is both systemic and local"
            tip = "keep it in systemic_routes when enough is absorbed to matter"
            yield Problem(_drug_file(drug), "local_routes", wrong, "one of the two", tip)


def sections_are_covered(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        for section in SECTIONS:
            if section not in drug.coverage:
                yield Problem(
                    _drug_file(drug),
                    "coverage",
                    f"says nothing of {section!r}",
                    "complete, partial, gap or not-applicable",
                    f'write {section} = "gap" until a source supports it',
                )


def complete_sections_are_there(k: Knowledge) -> Iterator[Problem]:
    for drug in k.drugs.values():
        empty = [("renal", drug.renal is None), ("hepatic", not drug.hepatic), ("doses", not drug.dose_limits)]
        for section, is_empty in empty:
            if is_empty and drug.coverage.get(section) == "complete":
                yield Problem(
                    _drug_file(drug),
                    f"coverage.{section}",
                    "says complete but the section is empty",
                    "content, or gap / not-applicable",
                    "a file that was cut short looks like this too: compare it with `medsafe data diff`",
                )


def _citations(k: Knowledge) -> Iterator[tuple[str, str, tuple[Citation, ...], Drug | None]]:
    for d in k.drugs.values():
        file = _drug_file(d)
        rows: list[tuple[str, tuple[Any, ...]]] = [
            ("substrate_of", d.substrate_of),
            ("inhibits/induces", d.modulates),
            ("effects", d.effects),
            ("dose_limits", d.dose_limits),
            ("cautions", d.cautions),
            ("route_rules", d.route_rules),
            ("monitoring", d.monitoring),
            ("renal.bands", d.renal.bands if d.renal else ()),
            ("renal.dialysis", tuple(d.renal.dialysis.values()) if d.renal else ()),
            ("hepatic", tuple(d.hepatic.values())),
        ]
        yield file, "kinetics", d.kinetics_sources or (Citation("unsourced"),), d
        for section, items in rows:
            for item in items:
                yield file, section, item.sources, d
    for c in k.classes.values():
        cited = [*(e.sources for e in c.effects), *(x.sources for x in c.cautions)]
        cited += [limit.sources for limit in c.lifetime_limits]
        yield from ((f"formulary/classes/{c.id}.toml", "effects/cautions", sources, None) for sources in cited)
    for r in k.interactions.values():
        yield _record_file(r), "sources", r.guidance.sources, None
    for e in k.effects.values():
        yield f"interaction_data/effects/{e.id}.toml", "sources", e.guidance.sources, None
    for rule in k.stopping.values():
        yield f"interaction_data/stopping/{rule.id}.toml", "sources", rule.guidance.sources, None
    for kind, words in k.advice.items():
        yield "interaction_data/advice.toml", kind, words.sources, None
    for step in k.steps.values():
        yield "interaction_data/steps.toml", step.id, step.sources, None
    for s in k.symptoms.values():
        for option in s.options:
            yield f"formulary/symptoms/{s.id}.toml", f"options.{option.id}", option.sources, None


def sources_are_declared(k: Knowledge) -> Iterator[Problem]:
    for file, path, citations, drug in _citations(k):
        for citation in citations:
            if (
                citation.source == "unsourced"
                or citation.source in k.sources
                or (drug is not None and citation.source in drug.sources)
            ):
                continue
            tip = "declare it in [sources.<id>] of the file or in formulary/sources.toml"
            yield Problem(file, path, f"source {citation.source!r} is not declared", "a declared source", tip)


def values_have_a_source(k: Knowledge) -> Iterator[Problem]:
    for file, path, citations, _ in _citations(k):
        if not citations:
            tip = 'write sources = ["<id>#<section>"], or ["unsourced"] to say honestly that there is none'
            yield Problem(file, path, "a value without a source", "sources", tip, level="warning")


def _criteria(k: Knowledge) -> Iterator[tuple[str, str, Criterion]]:
    for d in k.drugs.values():
        for path, rows in (("cautions", d.cautions), ("dose_limits", d.dose_limits)):
            for row in rows:
                yield from ((_drug_file(d), path, c) for c in row.when)
    for c in k.classes.values():
        yield from ((f"formulary/classes/{c.id}.toml", "cautions", x) for row in c.cautions for x in row.when)
    for r in k.interactions.values():
        yield from ((_record_file(r), "when", c) for c in r.when)
        yield from ((_record_file(r), "modifiers", c) for m in r.modifiers for c in m.when)
    for e in k.effects.values():
        yield from ((f"interaction_data/effects/{e.id}.toml", "modifiers", c) for m in e.modifiers for c in m.when)
    for rule in k.stopping.values():
        yield from (
            (f"interaction_data/stopping/{rule.id}.toml", "modifiers", c) for m in rule.modifiers for c in m.when
        )
    for s in k.symptoms.values():
        for o in s.options:
            every = [
                *o.when,
                *(c for p in o.preferences for c in p.when),
                *(c for x in o.exclusions for c in x.when),
                *(c for t in o.orders for c in t.when),
            ]
            yield from ((f"formulary/symptoms/{s.id}.toml", f"options.{o.id}", c) for c in every)


def criteria_name_known_things(k: Knowledge) -> Iterator[Problem]:
    takes = k.drugs.keys() | k.classes.keys()
    for file, path, criterion in _criteria(k):
        for word in sorted(criterion.condition | criterion.no_condition):
            if word not in k.conditions:
                yield Problem(
                    file,
                    path,
                    f"unknown condition {word!r}",
                    "an id of formulary/conditions.toml",
                    "add it there with its synonyms",
                )
        for word in sorted(criterion.medicine | criterion.no_medicine):
            if word not in takes:
                yield Problem(
                    file,
                    path,
                    f"unknown medicine {word!r}",
                    "the id of a drug or class",
                    "add the record, or mend the spelling",
                )
        if criterion.symptom is not None and criterion.symptom not in k.symptoms:
            tip = "use one of formulary/symptoms/, or add it with `medsafe data new symptom`"
            yield Problem(file, path, f"unknown symptom {criterion.symptom!r}", "the id of a symptom", tip)


def interaction_ends_exist(k: Knowledge) -> Iterator[Problem]:
    known = k.drugs.keys() | k.classes.keys()
    for record in k.interactions.values():
        ends = [word for end in record.needs for word in (*end.ids, *end.excluding)]
        for word in sorted({*ends, *record.absent}):
            if word not in known:
                tip = "mend the spelling, or add it with `medsafe data new drug`"
                yield Problem(
                    _record_file(record), "needs", f"unknown drug or class {word!r}", "the id of a drug or class", tip
                )


def pair_files_are_named_by_their_ends(k: Knowledge) -> Iterator[Problem]:
    for record in k.interactions.values():
        if "__" in record.id:
            parts = record.id.split("__")
            if parts != sorted(parts) or len(record.needs) != 2:
                yield Problem(
                    _record_file(record),
                    "",
                    "a pair file is named <a>__<b>, ends sorted, with two needs",
                    "a__b",
                    "rename the file",
                )


def overrides_exist(k: Knowledge) -> Iterator[Problem]:
    for record in k.interactions.values():
        for other in sorted(record.overrides - k.interactions.keys()):
            tip = "the id is the name of the file without .toml"
            yield Problem(
                _record_file(record), "overrides", f"unknown record {other!r}", "the id of a pair or pattern", tip
            )


def symptom_drugs_exist(k: Knowledge) -> Iterator[Problem]:
    for symptom in k.symptoms.values():
        for option in symptom.options:
            if option.drug is not None and option.drug not in k.drugs:
                file, tip = f"formulary/symptoms/{symptom.id}.toml", "mend the spelling, or add the drug first"
                yield Problem(file, f"options.{option.id}", f"unknown drug {option.drug!r}", "the id of a drug", tip)


def conditions_of_symptoms_exist(k: Knowledge) -> Iterator[Problem]:
    for symptom in k.symptoms.values():
        for condition in symptom.shows:
            if condition not in k.conditions:
                file, tip = (
                    f"formulary/symptoms/{symptom.id}.toml",
                    "use one of formulary/conditions.toml, or take it out",
                )
                yield Problem(file, "shows", f"unknown condition {condition!r}", "the id of a condition", tip)


def symptom_parents_exist(k: Knowledge) -> Iterator[Problem]:
    for symptom in k.symptoms.values():
        for parent in symptom.parents:
            if parent not in k.symptoms:
                file, tip = f"formulary/symptoms/{symptom.id}.toml", "use one of formulary/symptoms/, or take it out"
                yield Problem(file, "parents", f"unknown symptom {parent!r}", "the id of a symptom", tip)


def condition_links_exist(k: Knowledge) -> Iterator[Problem]:
    for condition in k.conditions.values():
        for other in condition.implies:
            if other not in k.conditions:
                wrong, tip = f"implies unknown condition {other!r}", "mend the spelling, or add the condition"
                yield Problem("formulary/conditions.toml", condition.id, wrong, "an id of this file", tip)


def names_belong_to_one_drug(k: Knowledge) -> Iterator[Problem]:
    owner: dict[str, str] = {}
    for drug in k.drugs.values():
        for name in dict.fromkeys(text.casefold() for text in (drug.name, *drug.synonyms, *drug.brands)):
            if owner.setdefault(name, drug.id) != drug.id:
                yield Problem(
                    _drug_file(drug),
                    "synonyms",
                    f"{name!r} also names {owner[name]}",
                    "a name of one drug",
                    "remove it from one of the two",
                )


def conversion_rows_make_sense(k: Knowledge) -> Iterator[Problem]:
    file = "formulary/opioid_conversion.csv"
    for row in k.conversion:
        if row.factor <= 0:
            tip = "take the row out where a table gives no factor"
            yield Problem(file, f"{row.table}/{row.opioid}", f"factor {row.factor:g}", "a factor above 0", tip)
        if row.direction not in ("to-morphine", "from-morphine", "both", "away"):
            wrong, tip = (
                f"direction {row.direction!r}",
                "the direction says which of the two units the factor multiplies",
            )
            expected = "to-morphine, from-morphine, both or away"
            yield Problem(file, f"{row.table}/{row.opioid}", wrong, expected, tip)
        if row.direction == "away":
            yield from _leaving_is_safe(k, row, file)


def _leaving_is_safe(k: Knowledge, row: ConversionRow, file: str) -> Iterator[Problem]:
    """A factor for leaving an opioid belongs beside a one-way table, and is never more than adding up counts."""
    at, same = f"{row.table}/{row.opioid}", [r for r in k.conversion if (r.opioid, r.route) == (row.opioid, row.route)]
    if not one_way(same, row.opioid, row.route):
        wrong, tip = "direction 'away'", "an opioid whose factor holds both ways needs none"
        yield Problem(file, at, wrong, "it only beside a table of one direction", tip)
    counts = [r.factor for r in same if r.table == row.table and r.direction in TO_MORPHINE]
    if row.meaning != "oral-morphine-per-unit" or row.factor > min(counts, default=row.factor):
        tip = "who leaves an opioid by more than it counts for is given too much of the next one"
        yield Problem(file, at, f"factor {row.factor:g} away", f"at most {min(counts, default=row.factor):g}", tip)


def exposure_rows_make_sense(k: Knowledge) -> Iterator[Problem]:
    file = "formulary/organ_exposure.csv"
    for rows in k.organ_exposure.values():
        for row in rows:
            place = f"{row.drug}/{row.organ}"
            if row.drug not in k.drugs:
                yield Problem(
                    file,
                    place,
                    f"no drug {row.drug!r}",
                    "an id of formulary/drugs/",
                    "mend the id, or take the row out",
                )
            if row.auc_ratio <= 0:
                yield Problem(
                    file, place, f"ratio {row.auc_ratio:g}", "a ratio above 0", "take the row out where none was found"
                )
            if row.source not in k.sources:
                tip = "declare it in formulary/sources.toml"
                yield Problem(file, place, f"unknown source {row.source!r}", "an id of formulary/sources.toml", tip)
            bounded = row.from_ is not None and row.below is not None and row.from_ < row.below
            if not (row.organ == "hepatic" and row.child_pugh in CHILD_PUGH) and not (row.organ == "renal" and bounded):
                expected = "renal with from below `below`, or hepatic with A, B or C"
                tip = "a renal row is bounded in mL/min, a hepatic one has a class"
                yield Problem(file, place, "the state of the organ is not told", expected, tip)


def stopping_rules_make_sense(k: Knowledge) -> Iterator[Problem]:
    known = k.drugs.keys() | k.classes.keys()
    for rule in k.stopping.values():
        file = f"interaction_data/stopping/{rule.id}.toml"
        for name in sorted((rule.end.ids | rule.end.excluding | rule.covered_by) - known):
            tip = "a typing slip would leave the stop untold"
            yield Problem(file, "ids", f"{name!r} is no drug and no class", "ids of drugs or classes", tip)


RULES: tuple[Rule, ...] = (
    policy_is_whole,
    order_entry_is_whole,
    steps_are_whole,
    advice_is_whole,
    ids_are_kebab_case,
    drug_classes_exist,
    class_tree_is_acyclic,
    class_parents_exist,
    drugs_and_classes_differ,
    pathways_exist,
    shares_do_not_exceed_the_whole,
    doses_beside_name_what_acts,
    effects_exist,
    advice_names_known_ids,
    counted_classes_exist,
    renal_bands_cover_every_value,
    lifetime_limits_name_members,
    dialysis_timing_makes_sense,
    worse_function_is_never_treated_more_permissively,
    routes_are_either_systemic_or_local,
    sections_are_covered,
    complete_sections_are_there,
    sources_are_declared,
    values_have_a_source,
    criteria_name_known_things,
    interaction_ends_exist,
    pair_files_are_named_by_their_ends,
    overrides_exist,
    symptom_drugs_exist,
    symptom_parents_exist,
    conditions_of_symptoms_exist,
    condition_links_exist,
    names_belong_to_one_drug,
    conversion_rows_make_sense,
    exposure_rows_make_sense,
    stopping_rules_make_sense,
)


def judge(knowledge: Knowledge) -> list[Problem]:
    """Every problem that any rule finds."""
    return [problem for rule in RULES for problem in rule(knowledge)]
