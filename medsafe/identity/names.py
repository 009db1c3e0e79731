"""Names and codes → drugs, without guessing.

A name is resolved when it is known exactly, or when everything beside the known name is language that cannot change the
drug (strength, form, salt, route, time). Whatever merely resembles a known name is a candidate. Pure: no files, no net.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from medsafe.identity.combinations import Combinations, same_amount
from medsafe.identity.resolution import (
    AMBIGUOUS,
    RESOLVED,
    UNKNOWN,
    AmbiguousEntry,
    Candidate,
    CodeEntry,
    Component,
    Match,
    NameEntry,
    Resolution,
    merged,
    reconcile,
)
from medsafe.identity.spelling import Spellings
from medsafe.identity.text import (
    MAX_LENGTH,
    ParsedText,
    Strength,
    Token,
    fold,
    normalise_name,
    notations,
    parse_tokens,
    phrases_of,
    tokens,
)
from medsafe.identity.words import BIOLOGICAL_STEMS, ELEMENTS, JOINERS, MAKERS, NOISE, SALTS, SEPARATORS

__all__ = [
    "AmbiguousEntry",
    "Candidate",
    "CodeEntry",
    "Component",
    "Match",
    "NameEntry",
    "NameIndex",
    "Resolution",
    "Strength",
    "canonical_code",
    "reconcile",
]

SYSTEMS = {
    "rxnorm": "rxnorm",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "rxcui": "rxnorm",
    "2.16.840.1.113883.6.88": "rxnorm",
    "atc": "atc",
    "http://www.whocc.no/atc": "atc",
    "who atc": "atc",
    "2.16.840.1.113883.6.73": "atc",
    "ndc": "ndc",
    "http://hl7.org/fhir/sid/ndc": "ndc",
    "2.16.840.1.113883.6.69": "ndc",
    "snomed": "snomed",
    "http://snomed.info/sct": "snomed",
    "snomed ct": "snomed",
    "snomedct": "snomed",
    "sct": "snomed",
    "2.16.840.1.113883.6.96": "snomed",
}
NDC_CAVEAT = "NDCs are reused: an NDC from an old record may mean another product today; compare it with the text"
T = TypeVar("T")
_AMOUNTS = ("strength", "quantity", "number")
LONGEST_NAME = 9  # tokens; no name of a product in use has more
SHORTEST_SQUEEZED = 6  # letters; shorter names must be spaced as they are known
NAMES_REMEMBERED = 4096  # spellings whose meaning is kept ready; far more than the orders of a hospital use
_NDC = re.compile(r"(\d{4,5})-(\d{3,4})-(\d{1,2})")


def canonical_code(system: str, code: str) -> tuple[str, str] | None:
    """The system's short name and the code as the index spells it; None for a system that is not known.

    >>> canonical_code("http://hl7.org/fhir/sid/ndc", "0143-3145-01")
    ('ndc', '00143314501')
    """
    named = system.strip().casefold().rstrip("/").removeprefix("urn:oid:")
    short = SYSTEMS.get(re.sub(r"^https://", "http://", named))
    code = code.strip().upper()
    if short == "ndc" and (match := _NDC.fullmatch(code)):
        code = f"{match[1]:0>5}{match[2]:0>4}{match[3]:0>2}"
    return (short, code) if short else None


@dataclass(frozen=True, slots=True)
class _Hit:
    """A known spelling found in a text: entries of one meaning, or a warning."""

    text: str
    entries: tuple[NameEntry, ...] = ()
    warning: AmbiguousEntry | None = None
    others: tuple[NameEntry, ...] = ()


class NameIndex:
    """Every name and code the service knows, ready to be asked."""

    def __init__(
        self,
        entries: Iterable[NameEntry],
        codes: Mapping[tuple[str, str], CodeEntry] | None = None,
        ambiguous: Mapping[str, AmbiguousEntry] | None = None,
        code_aliases: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """`ambiguous` is keyed by normalised text, or by a notation such as ".#" (see `text.notations`)."""
        self._entries: dict[str, list[NameEntry]] = {}
        self._names: dict[str, str] = {}
        for entry in entries:
            self._entries.setdefault(normalise_name(entry.text), []).append(entry)
            if entry.kind == "name":
                self._names.setdefault(entry.drug_id, entry.text)
        self._entries.pop("", None)
        self._codes = dict(codes or {})
        self._ambiguous = dict(ambiguous or {})
        self._code_aliases = dict(code_aliases or {})
        self._squeezed = self._squeeze()
        parts = (e.parts for entries in self._entries.values() for e in entries)
        self.combinations = Combinations((*parts, *(code.components for code in self._codes.values())))
        self._resolved_before: dict[str, Resolution] = {}
        self._spellings = Spellings(self._for_search(), self._names)

    def __len__(self) -> int:
        return len(self._entries)

    def name_of(self, drug_id: str) -> str:
        """The name a drug is shown by."""
        return self._names.get(drug_id, drug_id.replace("-", " "))

    def products(self) -> Iterable[CodeEntry]:
        """What every code of a product means."""
        return self._codes.values()

    # ---- what a caller asks

    def resolve_name(self, text: str) -> Resolution:
        """Say which drug a text names: resolved, ambiguous or unknown, with candidates where it is not resolved."""
        if (before := self._resolved_before.get(text)) is not None:
            return before
        if len(text) > MAX_LENGTH:
            return Resolution(UNKNOWN, matched=text[:MAX_LENGTH])
        found = self._resolve_afresh(text)
        if found.status == RESOLVED and self._lookup(normalise_name(text)):
            self._remember(text, found)
        return found

    def _remember(self, text: str, found: Resolution) -> None:
        """Only a text that is a known spelling and nothing else is kept: what more an order says may be the patient's."""
        if len(self._resolved_before) >= NAMES_REMEMBERED:
            self._resolved_before.clear()
        self._resolved_before[text] = found

    def _resolve_afresh(self, text: str) -> Resolution:
        folded = fold(text)
        seen = tuple(n for n in notations(folded) if n in self._ambiguous)
        found = self._resolve_whole(folded, seen) or self._resolve_parts(folded, seen)
        if found is None:
            found = Resolution(UNKNOWN, matched=text.strip(), candidates=self.candidates(text))
        return replace(found, doubts=tuple(self._ambiguous[n].reading for n in seen)) if seen else found

    def resolve_code(self, system: str, code: str) -> Resolution:
        """Say which drug a code means; a code of a class, or of nothing we know, is unknown."""
        key = canonical_code(system, code)
        if key is None:
            return Resolution(UNKNOWN, matched=code, kind="code")
        entry = self._codes.get(key) or self._codes.get((key[0], self._code_aliases.get(key, "")))
        doubts = (NDC_CAVEAT,) if key[0] == "ndc" else ()
        if entry is None:
            return Resolution(UNKNOWN, matched=code, kind="code", doubts=doubts)
        if entry.readings:
            candidates = self._named(entry.readings)
            return Resolution(AMBIGUOUS, matched=entry.name, kind="code", candidates=candidates, doubts=doubts)
        strengths = tuple(c.strength for c in entry.components if c.strength)
        return Resolution(
            RESOLVED, entry.components, entry.name, "code", entry.form, entry.route, strengths, doubts=doubts
        )

    def search(self, query: str, limit: int = 10, among: Container[str] | None = None) -> list[Match]:
        """Complete a name as it is typed, slips of the keys included; `among` keeps to some drugs."""
        return self._spellings.search(normalise_name(query), limit, among)

    def candidates(self, text: str, limit: int = 5) -> tuple[Candidate, ...]:
        """Names that look like the one asked for. They are offered, never taken."""
        words = parse_tokens(tokens(fold(text))).name
        queries = dict.fromkeys([" ".join(words), *(w for w in words if len(w) > 3)])
        return self._spellings.candidates([q for q in queries if q][:7], limit)

    # ---- known spellings

    def _squeeze(self) -> dict[str, str]:
        """Spellings without their spaces ("cotrimoxazole"), where only one name is written so."""
        keys: dict[str, set[str]] = {}
        for key in (*self._entries, *self._ambiguous):
            keys.setdefault(key.replace(" ", ""), set()).add(key)
        plain = {s: k.pop() for s, k in keys.items() if len(k) == 1}
        return {s: k for s, k in plain.items() if len(s) >= SHORTEST_SQUEEZED or any(c.isdigit() for c in s)}

    def _for_search(self) -> Iterable[tuple[str, NameEntry]]:
        for key, entries in self._entries.items():
            yield key, min(entries, key=lambda e: (e.kind != "name", e.kind))

    def _lookup(self, key: str) -> _Hit | None:
        """A known spelling. A warning outranks every reading but a drug's own name."""
        if key not in self._entries and key not in self._ambiguous:
            key = self._squeezed.get(key.replace(" ", ""), key)
        entries = self._entries.get(key, [])
        own = [e for e in entries if e.kind == "name"]
        if not own and (warning := self._ambiguous.get(key)):
            return _Hit(key, warning=warning)
        return self._hit(key, own or entries) if entries else None

    @staticmethod
    def _hit(key: str, entries: list[NameEntry]) -> _Hit:
        meaning = frozenset(entries[0].ids)
        others = tuple(e for e in entries if frozenset(e.ids) != meaning)
        return _Hit(key, tuple(e for e in entries if e not in others), others=others)

    def _named(self, ids: Iterable[str]) -> tuple[Candidate, ...]:
        return tuple(Candidate(i, " + ".join(self.name_of(part) for part in i.split("+")), 100.0) for i in ids)

    # ---- one name among the language of orders

    def _resolve_whole(self, folded: str, seen: tuple[str, ...]) -> Resolution | None:
        if hit := self._lookup(normalise_name(folded)):
            return self._answer(hit, ParsedText(()))
        main, asides = _without_brackets(tokens(folded))
        found = self._resolve_run(folded, main, seen)
        if found is None and asides:
            return self._resolve_run(folded, tuple(t for t in tokens(folded) if t.text not in "()[]"), seen)
        return self._weigh_asides(found, folded, asides, seen) if found else None

    def _resolve_run(self, folded: str, run: tuple[Token, ...], seen: tuple[str, ...]) -> Resolution | None:
        """The longest known name in a run of tokens, if all else in the run is language."""
        for first, last, hit in self._hits(folded, run):
            before, after = run[:first], run[last:]
            beside = (*_beside(before[::-1])[::-1], *_beside(_without_maker(hit.text, after)))
            if _is_language(beside) and self._keeps_its_drug(hit, before, after):
                return self._answer(hit, parse_tokens((*before, *after), seen))
        return None

    def _hits(self, folded: str, run: tuple[Token, ...]) -> list[tuple[int, int, _Hit]]:
        found = []
        for first in range(len(run)):
            for last in range(first + 1, min(len(run), first + LONGEST_NAME) + 1):
                if run[first].kind == "join" or run[last - 1].kind == "join":
                    continue
                key = normalise_name(folded[run[first].start : run[last - 1].end])
                if hit := self._lookup(key):
                    found.append((first, last, hit))
        return sorted(found, key=lambda f: (f[0] - f[1], f[0]))

    @staticmethod
    def _keeps_its_drug(hit: _Hit, before: tuple[Token, ...], after: tuple[Token, ...]) -> bool:
        """Whether salts and numbers beside the name leave it the same drug."""
        if hit.text in ELEMENTS and any(t.text in SALTS for t in (*before, *after)):
            return False
        branded = any(e.kind in ("brand", "combination") for e in hit.entries)
        numbered = bool(after) and after[0].kind == "number" and len(after[0].text) == 1
        return not (branded and numbered)

    def _weigh_asides(
        self, found: Resolution, folded: str, asides: tuple[tuple[str, tuple[Token, ...]], ...], seen: tuple[str, ...]
    ) -> Resolution | None:
        """What stands in brackets may repeat the drug or its brand; if it names another, neither is taken."""
        for bracket, run in asides:
            language = _is_language(run) or all(t.text in SALTS | NOISE for t in run) or self._is_maker(folded, run)
            aside = None if language else self._resolve_run(folded, run, seen)
            if aside is None and bracket == "(" and not language:
                return None
            if aside and found.status == RESOLVED and not _same_drug(found, aside):
                ids = ("+".join(sorted(r.ids)) for r in (found, aside) if r.ids)
                return Resolution(AMBIGUOUS, matched=found.matched, kind=found.kind, candidates=self._named(ids))
        return found

    def _is_maker(self, folded: str, run: tuple[Token, ...]) -> bool:
        """Whether a run tells who makes the product: a word of companies, and nothing that is a known name."""
        return any(t.text in MAKERS for t in run) and not self._hits(folded, run)

    # ---- the answer

    def _answer(self, hit: _Hit, said: ParsedText) -> Resolution:
        if hit.warning:
            return Resolution(
                AMBIGUOUS,
                matched=hit.warning.text,
                kind="hazard",
                form=said.form,
                route=said.route,
                strengths=said.strengths,
                candidates=self._named(hit.warning.candidates),
                doubts=(hit.warning.reading,),
            )
        fitting = _fitting((*hit.entries, *hit.others), said)
        if len({frozenset(e.ids) for e in fitting}) > 1:
            ids = dict.fromkeys("+".join(e.ids) for e in fitting)
            first = fitting[0]
            return Resolution(AMBIGUOUS, matched=first.text, kind=first.kind, candidates=self._named(ids))
        return _resolved(fitting, said)

    # ---- several names joined

    def _resolve_parts(self, folded: str, seen: tuple[str, ...]) -> Resolution | None:
        """Names joined by a stroke, a sign or a word, each of which must be known."""
        main, asides = _without_brackets(tokens(folded))
        for joiners in (JOINERS - SEPARATORS, JOINERS - {"-"}, JOINERS):
            runs = _split(main, joiners)
            if len(runs) > 1:
                parts = [self._resolve_run(folded, run, seen) for run in runs]
                known = [p for p in parts if p]
                if len(known) == len(parts):
                    joined = self._join(known, parse_tokens(main, seen))
                    return self._weigh_asides(joined, folded, asides, seen)
        return None

    def _join(self, parts: list[Resolution], said: ParsedText) -> Resolution:
        matched = " / ".join(p.matched for p in parts)
        if any(p.status != RESOLVED for p in parts):
            candidates = tuple(c for p in parts for c in (p.candidates or self._named(sorted(p.ids))))
            doubts = tuple(d for p in parts for d in p.doubts)
            return Resolution(AMBIGUOUS, matched=matched, kind="combination", candidates=candidates, doubts=doubts)
        components = [c for p in parts for c in p.components]
        if len(said.strengths) == len(components):
            strengths = self.combinations.in_order_of([c.drug_id for c in components], said.strengths)
            components = [Component(c.drug_id, s) for c, s in zip(components, strengths, strict=True)]
        return Resolution(RESOLVED, merged(components), matched, "combination", said.form, said.route, said.strengths)


def _same_drug(found: Resolution, aside: Resolution) -> bool:
    if aside.status == RESOLVED:
        return aside.ids == found.ids
    return "+".join(sorted(found.ids)) in {c.id for c in aside.candidates}


def _without_brackets(
    items: tuple[Token, ...],
) -> tuple[tuple[Token, ...], tuple[tuple[str, tuple[Token, ...]], ...]]:
    """Split what stands in brackets from the rest; where nothing else is left, the brackets are dropped."""
    main: list[Token] = []
    asides: list[tuple[str, list[Token]]] = []
    open_ = False
    for token in items:
        if token.kind == "mark" and token.text in "()[]":
            open_ = token.text in "(["
            asides += [(token.text, [])] if open_ else []
        else:
            (asides[-1][1] if open_ else main).append(token)
    if not any(t.kind == "word" for t in main):
        return tuple(t for t in items if t.text not in "()[]"), ()
    return tuple(main), tuple((bracket, tuple(run)) for bracket, run in asides)


def _without_maker(name: str, after: tuple[Token, ...]) -> tuple[Token, ...]:
    """What follows a biological medicine's name, less the four letters that tell its makers apart."""
    if not name.endswith(BIOLOGICAL_STEMS) or len(after) < 2:
        return after
    dash, suffix = after[:2]
    marked = dash.text == "-" and dash.end == suffix.start and suffix.kind == "word" and len(suffix.text) == 4
    return after[2:] if marked and suffix.text.isalpha() else after


def _beside(run: tuple[Token, ...]) -> tuple[Token, ...]:
    """What follows a name, less the salts that stand next to it: further off they are an ingredient of their own."""
    at = 0
    while at < len(run) and run[at].text in SALTS:
        at += 1
    return run[at:]


def _is_language(run: tuple[Token, ...]) -> bool:
    """Whether every token is a strength, a number or a word of the language: nothing that could be a name."""
    return all(
        any(p.role != "salt" for p in phrases)
        or token.kind in _AMOUNTS
        or (token.kind == "join" and token.text in SEPARATORS)
        for token, phrases in phrases_of(run)
    )


def _split(run: tuple[Token, ...], joiners: Container[str]) -> list[tuple[Token, ...]]:
    """Cut a run at its joiners; a piece without a name in it (a strength, a form) stays with the piece before."""
    pieces: list[list[Token]] = [[]]
    for token in run:
        if token.kind == "join" and token.text in joiners:
            pieces.append([])
        else:
            pieces[-1].append(token)
    whole: list[tuple[Token, ...]] = []
    for piece in map(tuple, pieces):
        if whole and (_is_language(piece) or _is_language(whole[-1])):
            whole[-1] += piece
        else:
            whole.append(piece)
    return whole


def _fitting(entries: tuple[NameEntry, ...], said: ParsedText) -> tuple[NameEntry, ...]:
    """The products of a name, narrowed by the strengths and the form that were said."""
    fitting = _narrow(entries, lambda e: _fits(e, said.strengths))
    if fitting == entries:
        fitting = _narrow(entries, lambda e: _has_part(e, said.strengths))
    return _narrow(fitting, lambda e: not said.form or e.form in (None, said.form))


def _resolved(fitting: tuple[NameEntry, ...], said: ParsedText) -> Resolution:
    """The answer of products that have one meaning."""
    first = fitting[0]
    components = first.parts
    if any(e.parts != components for e in fitting):
        components = _common_strengths(fitting) if said.strengths else tuple(Component(i) for i in first.ids)
    if len(components) == 1 and len(said.strengths) == 1:
        components = (Component(components[0].drug_id, _complete(said.strengths[0], components[0].strength)),)
    elif said.strengths and not any(_fits(e, said.strengths) or _has_part(e, said.strengths) for e in fitting):
        components = tuple(Component(c.drug_id) for c in components)
    form = said.form or _common({e.form for e in fitting})
    route = said.route or _common({e.route for e in fitting})
    return Resolution(RESOLVED, components, first.text, first.kind, form, route, said.strengths)


def _narrow(entries: tuple[NameEntry, ...], fits: Callable[[NameEntry], bool]) -> tuple[NameEntry, ...]:
    return tuple(e for e in entries if fits(e)) or entries


def _fits(entry: NameEntry, said: tuple[Strength, ...]) -> bool:
    """Whether a product has the strengths that were said, in any order; or their sum, as some products are named."""
    known = [c.strength for c in entry.parts if c.strength]
    if not said or len(known) != len(entry.parts):
        return False
    if len(said) == 1 < len(known) and len({k.unit for k in known}) == 1:
        return same_amount(Strength(sum(k.value for k in known), known[0].unit), said[0])
    pairs = zip(sorted(known, key=_by_amount), sorted(said, key=_by_amount), strict=False)
    return len(known) == len(said) and all(same_amount(k, s) for k, s in pairs)


def _has_part(entry: NameEntry, said: tuple[Strength, ...]) -> bool:
    """Whether a combination is named by the strength of one of its parts, as “Bactrim 160 mg” is."""
    known = [c.strength for c in entry.parts if c.strength]
    return len(said) == 1 < len(entry.parts) == len(known) and any(same_amount(k, said[0]) for k in known)


def _common_strengths(entries: tuple[NameEntry, ...]) -> tuple[Component, ...]:
    """Each part with its strength where all the products agree on it."""
    strengths = [{c.drug_id: c.strength for c in e.parts} for e in entries]
    return tuple(Component(i, _common({s.get(i) for s in strengths})) for i in entries[0].ids)


def _by_amount(strength: Strength) -> float:
    return strength.value


def _complete(said: Strength, known: Strength | None) -> Strength:
    """A bare number takes the unit of the product it fits."""
    return known if known and not said.unit and known.value == said.value else said


def _common(values: set[T]) -> T | None:
    return next(iter(values)) if len(values) == 1 else None
