"""What an edit of the data does to patients: pairs newly reached or lost, cases that change, findings per 1,000 orders."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from marshmallow import ValidationError

from medsafe import render
from medsafe.casebook import judge
from medsafe.context.engine import Engine
from medsafe.graph.index import DrugIndex
from medsafe.interactions import graph_findings
from medsafe.library.diff import RecordChange
from medsafe.library.problems import flatten
from medsafe.model.drugs import Band
from medsafe.model.findings import Finding, Review
from medsafe.model.statements import ANY_ORDER
from medsafe.model.vocabulary import SEVERITY_WORDS
from medsafe.request import CASE_SCHEMA, read_body
from medsafe.review import review

Pair = tuple[str, str]
# How many of how many are done: told to whoever waits.
Progress = Callable[[int, int], None]
EXAMPLES = 3
NONE = "none"
SEVERITIES = ("none", *SEVERITY_WORDS)


@dataclass(frozen=True, slots=True)
class Shift:
    """One finding that appears, goes or changes severity; `none` stands for no finding."""

    drugs: tuple[str, ...]
    hazard: str
    before: str
    after: str
    rule: str
    summary: str

    @property
    def what(self) -> str:
        return "new" if self.before == NONE else "lost" if self.after == NONE else "changed"

    @property
    def weight(self) -> int:
        """The worse of both severities, to show the serious ones first."""
        return max(SEVERITIES.index(self.before), SEVERITIES.index(self.after))


@dataclass(frozen=True, slots=True)
class Inherited:
    """What one drug gains or loses through its classes, though its own record may not have changed."""

    drug: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """One burden a drug adds to, or one kidney or liver function at which its dose is judged, before and after."""

    drug: str
    where: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CaseShift:
    """One case whose answer differs, and the expectations of its author that it newly misses or meets."""

    case: str
    status: tuple[str, str]
    shifts: tuple[Shift, ...]
    newly_missed: tuple[str, ...]
    newly_met: tuple[str, ...]


def silent(done: int, total: int) -> None:
    """No progress shown."""


def _statements(entry: DrugIndex | None) -> set[str]:
    """What a drug has from its classes, each statement as one line."""
    if entry is None:
        return set()
    effects = entry.effects[len(entry.drug.effects) :]
    cautions = entry.cautions[len(entry.drug.cautions) :]
    lines = {f"class {tag}" for tag in entry.tags if tag != entry.drug.id}
    lines |= {f"effect {e.effect} {e.weight:g}" for e in effects}
    return lines | {f"caution {c.hazard} ({c.severity.label}): {c.text}" for c in cautions}


def inherited_changes(before: Engine, after: Engine) -> tuple[Inherited, ...]:
    """What drugs held in both versions gain or lose through their classes."""
    changes = []
    for drug in sorted(before.index.drugs.keys() & after.index.drugs.keys()):
        old, new = _statements(before.index.drugs[drug]), _statements(after.index.drugs[drug])
        if old != new:
            changes.append(Inherited(drug, tuple(sorted(new - old)), tuple(sorted(old - new))))
    return tuple(changes)


def _weights(entry: DrugIndex | None) -> dict[str, str]:
    """Every weight of a drug on a burden, its classes' included, with the orders it is limited to."""
    found: dict[str, str] = {}
    for row in entry.effects if entry else ():
        limited = " (some orders)" if row.scope != ANY_ORDER else ""
        found[row.effect] = ", ".join(
            sorted({*found.get(row.effect, "").split(", "), f"{row.weight:g}{limited}"} - {""})
        )
    return found


def _bands(entry: DrugIndex | None) -> dict[str, str]:
    """What is done with the dose at each kidney and liver function, in words."""
    if entry is None:
        return {}
    drug, found = entry.drug, dict[str, list[str]]()
    for band in drug.renal.bands if drug.renal else ():
        upper = f" to {band.below:g}" if band.below is not None else " upward"
        estimate = drug.renal.estimate if drug.renal else ""
        found.setdefault(f"{estimate} {band.from_:g}{upper}", []).append(_band_words(band))
    rows = [(f"dialysis {name}", band) for name, band in (drug.renal.dialysis if drug.renal else {}).items()]
    rows += [(f"Child-Pugh {name}" if len(name) == 1 else name, band) for name, band in drug.hepatic.items()]
    for name, band in rows:
        found.setdefault(name, []).append(_band_words(band))
    return {where: "; ".join(words) for where, words in found.items()}


def _band_words(band: Band) -> str:
    numbers = (
        ("of the dose", band.dose_factor),
        ("most a day", band.max_daily_dose),
        ("most at once", band.max_single_dose),
        ("h apart", band.min_interval_h),
    )
    severity = f" [{band.severity.label}]" if band.severity is not None else ""
    return " ".join([band.action, *(f"{value:g} {name}" for name, value in numbers if value is not None)]) + severity


def _reached(drug: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Reach]:
    for where in dict.fromkeys((*old, *new)):
        if old.get(where) != new.get(where):
            yield Reach(drug, where, old.get(where, "nothing"), new.get(where, "nothing"))


def _over_drugs(
    describe: Callable[[DrugIndex | None], dict[str, str]], before: Engine, after: Engine
) -> tuple[Reach, ...]:
    held = sorted(before.index.drugs.keys() | after.index.drugs.keys())
    rows = ((d, describe(before.index.drugs.get(d)), describe(after.index.drugs.get(d))) for d in held)
    return tuple(reach for drug, old, new in rows for reach in _reached(drug, old, new))


def burden_changes(before: Engine, after: Engine) -> tuple[Reach, ...]:
    """Burdens that drugs newly add to, no more add to or add to with another weight, through their classes too."""
    return _over_drugs(_weights, before, after)


def dose_changes(before: Engine, after: Engine) -> tuple[Reach, ...]:
    """Kidney and liver functions at which a drug's dose is newly, no more, or otherwise judged."""
    return _over_drugs(_bands, before, after)


def _acts(entry: DrugIndex | None) -> object:
    """All of a drug that can make or unmake an interaction between two drugs."""
    if entry is None:
        return None
    d = entry.drug
    margins = (d.toxicity_margin, d.efficacy_margin, d.half_life_h, d.washout_days)
    routes = (d.systemic_routes, d.local_routes)
    return (entry.tags, entry.effects, d.substrate_of, d.modulates, margins, routes, d.opioid)


def _different_drugs(before: Engine, after: Engine) -> set[str]:
    held = before.index.drugs.keys() | after.index.drugs.keys()
    return {d for d in held if _acts(before.index.drugs.get(d)) != _acts(after.index.drugs.get(d))}


def _members(ids: Iterable[str], engines: Sequence[Engine]) -> set[str]:
    return {drug for key in ids for e in engines for drug in e.index.members.get(key, frozenset())}


def _record_pairs(key: str, engines: Sequence[Engine]) -> Iterator[Pair]:
    for engine in engines:
        record = engine.knowledge.interactions.get(key)
        if record is None or len(record.needs) != 2:
            continue
        one, other = (_members(end.ids, engines) for end in record.needs)
        yield from ((a, b) for a in one for b in other)


def _pathway_pairs(key: str, engines: Sequence[Engine]) -> Iterator[Pair]:
    drugs = [d.drug for e in engines for d in e.index.drugs.values()]
    victims = {d.id for d in drugs if any(s.pathway == key for s in d.substrate_of)}
    movers = {d.id for d in drugs if any(m.pathway == key for m in d.modulates)}
    yield from ((a, b) for a in victims for b in movers)


def _effect_pairs(key: str, engines: Sequence[Engine]) -> Iterator[Pair]:
    adding = {d.drug.id for e in engines for d in e.index.drugs.values() if any(w.effect == key for w in d.effects)}
    yield from ((a, b) for a in adding for b in adding)


def pairs_touched(changes: Iterable[RecordChange], before: Engine, after: Engine) -> tuple[Pair, ...]:
    """Every pair of drugs whose finding may differ: through the drugs themselves, their classes, pathways and records."""
    engines = (before, after)
    held = before.index.drugs.keys() | after.index.drugs.keys()
    found = {(a, b) for a in _different_drugs(before, after) for b in held}
    reach = {"interactions": _record_pairs, "pathways": _pathway_pairs, "effects": _effect_pairs}
    for change in changes:
        if change.section in reach:
            found.update(reach[change.section](change.id, engines))
    return tuple(sorted({(min(a, b), max(a, b)) for a, b in found if a != b}))


def _pair_findings(pair: Pair, engine: Engine) -> list[Finding]:
    if not all(drug in engine.index.drugs for drug in pair):
        return []
    findings, _, _ = graph_findings([engine.index.drugs[drug].drug.name for drug in pair], engine)
    return [f for f in findings if set(pair) <= set(f.drugs)]


def shifts_between(before: Iterable[Finding], after: Iterable[Finding]) -> tuple[Shift, ...]:
    """Findings of the same drugs and hazard, side by side; only those that differ."""
    old, new = _worst(before), _worst(after)
    shifts = []
    for key in sorted(old.keys() | new.keys()):
        was, is_ = old.get(key), new.get(key)
        words = (was.severity.label if was else NONE, is_.severity.label if is_ else NONE)
        shown = is_ or was
        if shown is not None and words[0] != words[1]:
            shifts.append(Shift(key[0], key[1], *words, shown.rule, shown.summary))
    return tuple(shifts)


def _worst(findings: Iterable[Finding]) -> dict[tuple[tuple[str, ...], str], Finding]:
    kept: dict[tuple[tuple[str, ...], str], Finding] = {}
    for finding in findings:
        key = (tuple(sorted(finding.drugs)), finding.hazard)
        if key not in kept or finding.severity > kept[key].severity:
            kept[key] = finding
    return kept


def pair_shifts(pairs: Sequence[Pair], before: Engine, after: Engine, progress: Progress = silent) -> tuple[Shift, ...]:
    """What the graph says of each pair before and after, where it differs."""
    shifts: list[Shift] = []
    for done, pair in enumerate(pairs, 1):
        shifts += shifts_between(_pair_findings(pair, before), _pair_findings(pair, after))
        progress(done, len(pairs))
    return tuple(shifts)


def _reviewed(body: Mapping[str, Any], engine: Engine) -> Review:
    return review(read_body(body), engine)


def case_shift(name: str, case: Mapping[str, Any], before: Engine, after: Engine) -> CaseShift | None:
    """How the answer to one case differs; None when nothing a reader sees first has changed."""
    old, new = _reviewed(case["request"], before), _reviewed(case["request"], after)
    missed = [set(judge(case.get("expect", {}), render.review(r))) for r in (old, new)]
    shifts = shifts_between(old.findings, new.findings)
    if not shifts and missed[0] == missed[1] and old.status == new.status:
        return None
    return CaseShift(
        name,
        (old.status, new.status),
        shifts,
        tuple(sorted(missed[1] - missed[0])),
        tuple(sorted(missed[0] - missed[1])),
    )


def _shift_of(path: Path, name: str, before: Engine, after: Engine) -> CaseShift | None:
    """One case; a case that is half-written is told as such and stops nobody from seeing the others."""
    try:
        return case_shift(name, tomllib.loads(path.read_text(encoding="utf-8")), before, after)
    except (OSError, ValueError, KeyError, ValidationError) as error:
        why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        return CaseShift(name, ("can't be judged", "can't be judged"), (), (f"the case can't be judged: {why}",), ())


def case_shifts(folder: Path, before: Engine, after: Engine, progress: Progress = silent) -> tuple[CaseShift, ...]:
    """Every case of a folder whose findings appear, go or change severity."""
    paths = sorted(folder.rglob("*.toml"))
    found = []
    for done, path in enumerate(paths, 1):
        shift = _shift_of(path, path.relative_to(folder).with_suffix("").as_posix(), before, after)
        found += [shift] if shift else []
        progress(done, len(paths))
    return tuple(found)


@dataclass
class RuleImpact:
    """How often one rule speaks and interrupts, before and after, with examples of what changes."""

    findings: list[int] = field(default_factory=lambda: [0, 0])
    interruptions: list[int] = field(default_factory=lambda: [0, 0])
    examples: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Impact:
    """Counts over a file of regimens; each pair of numbers is before, after."""

    regimens: int = 0
    orders: int = 0
    unreadable: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, RuleImpact] = field(default_factory=dict)

    def per_thousand(self, count: int) -> float:
        return round(1000 * count / self.orders, 2) if self.orders else 0.0


def _read(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """A body of POST /v1/check, or what is wrong with it: the field and never its value."""
    try:
        body = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None, "not valid JSON"
    if not isinstance(body, dict):
        return None, "not a JSON object"
    wrong = CASE_SCHEMA.validate(body)
    return (None, "breaks the schema at " + ", ".join(path for path, _ in flatten(wrong))) if wrong else (body, "")


def _count(impact: Impact, side: int, findings: Iterable[Finding]) -> None:
    for finding in findings:
        rule = impact.rules.setdefault(finding.rule or finding.kind, RuleImpact())
        rule.findings[side] += 1
        rule.interruptions[side] += finding.interruptive


def _add(impact: Impact, number: int, body: Mapping[str, Any], engines: tuple[Engine, Engine]) -> None:
    reviews = [_reviewed(body, engine) for engine in engines]
    impact.regimens += 1
    impact.orders += len(body.get("regimen") or ()) + len(body.get("new_orders") or ())
    for side, result in enumerate(reviews):
        _count(impact, side, result.findings)
    for shift in shifts_between(reviews[0].findings, reviews[1].findings):
        rule = impact.rules.setdefault(shift.rule or shift.hazard, RuleImpact())
        if len(rule.examples) < EXAMPLES:
            words = {"line": number, "drugs": list(shift.drugs), "hazard": shift.hazard}
            rule.examples.append({**words, "before": shift.before, "after": shift.after, "summary": shift.summary})


def impact_of(lines: Sequence[bytes], before: Engine, after: Engine, progress: Progress = silent) -> Impact:
    """Review every regimen with both versions; a line that can't be read is counted and told, never skipped in silence."""
    impact = Impact()
    for number, line in enumerate(lines, 1):
        if line.strip():
            body, wrong = _read(line)
            try:
                if body is not None:
                    _add(impact, number, body, (before, after))
            except ValidationError as error:
                wrong = "breaks the schema at " + ", ".join(path for path, _ in flatten(error.messages))
            if wrong:
                impact.unreadable.append({"line": number, "why": wrong})
        progress(number, len(lines))
    return impact


def totals(impact: Impact) -> dict[str, Counter[str]]:
    """Findings and interruptions over all rules, before and after."""
    sides = ("before", "after")
    rows = impact.rules.values()
    return {
        "findings": Counter({s: sum(r.findings[i] for r in rows) for i, s in enumerate(sides)}),
        "interruptions": Counter({s: sum(r.interruptions[i] for r in rows) for i, s in enumerate(sides)}),
    }


def impact_as_plain(impact: Impact) -> dict[str, Any]:
    """The impact as JSON data, per 1,000 orders, rules with the largest change first."""
    rate = impact.per_thousand
    change = {name: abs(r.findings[1] - r.findings[0]) for name, r in impact.rules.items()}
    rules = [
        {
            "rule": name,
            "findings": {"before": rate(rule.findings[0]), "after": rate(rule.findings[1])},
            "interruptions": {"before": rate(rule.interruptions[0]), "after": rate(rule.interruptions[1])},
            "count": {"before": rule.findings[0], "after": rule.findings[1]},
            "examples": rule.examples,
        }
        for name, rule in sorted(impact.rules.items(), key=lambda item: (-change[item[0]], item[0]))
    ]
    sums = {kind: {side: rate(n) for side, n in counts.items()} for kind, counts in totals(impact).items()}
    head = {"regimens": impact.regimens, "orders": impact.orders, "unreadable": impact.unreadable}
    return {**head, "per_1000_orders": sums, "rules": rules}
