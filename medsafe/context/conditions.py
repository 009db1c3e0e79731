"""Conditions as people and systems write them → condition ids. What is not recognised is told, never dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from medsafe.identity.text import normalise_name
from medsafe.model.case import CodedCondition
from medsafe.model.criteria import NO, NOTHING, YES, Criterion, Facts, FactValue, judge_all
from medsafe.model.findings import Notice
from medsafe.model.knowledge import Condition
from medsafe.model.wording import Negation

CLAUSE = re.compile(r"[,;.]|\bbut\b|\band\b|\bwith\b(?!out)|\s[-–—:]\s", re.IGNORECASE)
SIGNS = re.compile(r"(?<!\w)\s*([+-]) ?ve\b", re.IGNORECASE)
SEMANTIC_TAG = re.compile(r"\s*\((disorder|finding|situation|disease)\)\s*$", re.IGNORECASE)
# Systems by their object identifiers: ICD-10, ICD-10-CM, SNOMED CT. Of ICD-9 and ICD-11 the same letters mean other diseases.
ICD10_OIDS = ("2.16.840.1.113883.6.3", "2.16.840.1.113883.6.90")
SNOMED_OID = "2.16.840.1.113883.6.96"
OTHER_ICD = re.compile(r"icd\W?(?:9|11)(?!\d)")
# Shorter names are abbreviations: found inside a text only where they stand in capitals, as "MI" does and "as" does not.
SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True)
class Mention:
    """What a text says: conditions present, whether one was mentioned only to deny it, or as of somebody else or over."""

    present: frozenset[str] = frozenset()
    denied: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class ConditionIndex:
    """Names, codes and implications of conditions, compiled once."""

    by_name: Mapping[str, frozenset[str]]
    by_icd10: Mapping[str, str]
    by_snomed: Mapping[str, str]
    implied: Mapping[str, frozenset[str]]
    phrases: tuple[tuple[re.Pattern[str], frozenset[str]], ...]
    negation: tuple[re.Pattern[str], ...]
    derived: tuple[tuple[tuple[Criterion, ...], str], ...] = ()
    passing_days: Mapping[str, int] = field(default_factory=dict)

    def derive(self, values: Mapping[str, FactValue]) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
        """Conditions that the values themselves show, and those that a missing value would show, with the facts missing.

        Both with what they imply.
        """
        facts = Facts(values, frozenset(), frozenset())
        shown, hidden = set[str](), dict[str, frozenset[str]]()
        for criteria, key in self.derived:
            verdict = judge_all(criteria, facts)
            if verdict is YES:
                shown |= {key, *self.implied[key]}
            elif verdict is not NO:
                hidden |= {name: hidden.get(name, NOTHING) | verdict.missing for name in self.implied[key]}
        return frozenset(shown), hidden

    def find(self, given: CodedCondition) -> frozenset[str]:
        """Ids that a coded or written condition stands for, with what they imply; empty when unknown or denied."""
        return self.read(given).present

    def read(self, given: CodedCondition) -> Mention:
        """What a coded or written condition says."""
        found = self._by_code(given)
        mention = Mention(found) if found else self._by_text(given.text)
        return replace(mention, present=mention.present.union(*(self.implied[key] for key in mention.present)))

    def _by_code(self, given: CodedCondition) -> frozenset[str]:
        system = given.system.casefold()
        if ("snomed" in system or system.endswith(SNOMED_OID)) and given.code in self.by_snomed:
            return frozenset({self.by_snomed[given.code]})
        if ("icd" in system and not OTHER_ICD.search(system)) or system.endswith(ICD10_OIDS):
            code = given.code.upper()
            for length in range(len(code), 2, -1):
                if code[:length].rstrip(".") in self.by_icd10:
                    return frozenset({self.by_icd10[code[:length].rstrip(".")]})
        return frozenset()

    def _by_text(self, text: str) -> Mention:
        text = SIGNS.sub(lambda sign: " positive" if sign[1] == "+" else " negative", SEMANTIC_TAG.sub("", text))
        name = normalise_name(text)
        if name in self.by_name:
            return Mention(self.by_name[name])
        if self.negation[2].search(name):
            named = bool(frozenset().union(*self._phrases(text)))
            clear = self.negation[4].match(name) is not None and not CLAUSE.search(text)
            return Mention(denied=named, elsewhere=named and not clear)
        present, denied = frozenset[str](), False
        for clause in self._clauses(text):
            affirmed = self._affirmed(clause)
            denied = denied or affirmed != clause
            present = present.union(*self._phrases(affirmed))
        return Mention(present, denied and not present and bool(frozenset().union(*self._phrases(text))))

    def _clauses(self, text: str) -> Iterator[str]:
        """The clauses of a text; one that is only a denial ("seizures: none") belongs to the one before it."""
        parts = CLAUSE.split(text)
        for part, after in zip(parts, [*parts[1:], ""], strict=True):
            lone = self.negation[1].fullmatch(after.strip())
            yield f"{part} {after}" if lone else part

    def _affirmed(self, clause: str) -> str:
        """The clause without what it denies: "diabetes without nephropathy" affirms diabetes."""
        follows, precedes, _, closes, _ = self.negation
        if any(not clause[match.end() :].strip() for match in precedes.finditer(clause)):
            return ""
        kept = follows.split(clause, maxsplit=1)[0]
        if (kept != clause and not kept.strip()) or (kept == clause and precedes.search(clause)):
            return ""
        return closes.split(kept)[-1]

    def _phrases(self, text: str) -> Iterator[frozenset[str]]:
        """Conditions named in a text, longest names first: "open-angle glaucoma" is not glaucoma as such."""
        words = [normalise_name(word) for word in text.split() if word.isupper() or any(c.isdigit() for c in word)]
        left, capitals = normalise_name(text), {part for word in words for part in word.split()}
        for pattern, keys in self.phrases:
            match = pattern.search(left)
            if match is not None and (len(match.group()) >= SHORTEST_WORD or match.group() in capitals):
                left = left[: match.start()] + "|" + left[match.end() :]
                yield keys


def _implications(conditions: Mapping[str, Condition]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for key in conditions:
        reached, todo = {key}, list(conditions[key].implies)
        while todo:
            name = todo.pop()
            if name not in reached and name in conditions:
                reached.add(name)
                todo.extend(conditions[name].implies)
        found[key] = frozenset(reached)
    return found


def _names(conditions: Mapping[str, Condition]) -> dict[str, frozenset[str]]:
    """Name → ids. A synonym may belong to several conditions; a condition's own name is its alone."""
    found: dict[str, frozenset[str]] = {}
    for key, condition in conditions.items():
        for synonym in condition.synonyms:
            name = normalise_name(synonym)
            found[name] = found.get(name, frozenset()) | {key}
    for key, condition in conditions.items():
        found[normalise_name(condition.name)] = frozenset({key})
        found.setdefault(normalise_name(key.replace("-", " ")), frozenset({key}))
    return found


def _words(words: Iterable[str]) -> re.Pattern[str]:
    listed = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"\b(?:{listed})\b", re.IGNORECASE)


def build_condition_index(conditions: Mapping[str, Condition], negation: Negation) -> ConditionIndex:
    """Compile the index."""
    by_name = _names(conditions)
    longest_first = sorted(by_name.items(), key=lambda item: (-len(item[0]), item[0]))
    phrases = tuple((re.compile(rf"\b{re.escape(name)}s?\b"), keys) for name, keys in longest_first if len(name) > 1)
    return ConditionIndex(
        by_name,
        {code.upper(): key for key, c in reversed(list(conditions.items())) for code in c.icd10},
        {code: key for key, c in conditions.items() for code in c.snomed},
        _implications(conditions),
        phrases,
        (
            _words(negation.what_follows),
            _words(negation.what_precedes),
            _words(negation.whole_statement),
            _words(negation.what_it_closes),
            _words(negation.clear),
        ),
        tuple((c.derived_from, key) for key, c in conditions.items() if c.derived_from),
        {key: c.passing_days for key, c in conditions.items() if c.passing_days is not None},
    )


def _past(present: frozenset[str], since: date | None, as_of: date | None, index: ConditionIndex) -> frozenset[str]:
    """Conditions that pass, of an entry so old that it no longer shows them to be there."""
    days = (as_of - since).days if as_of is not None and since is not None else 0
    return frozenset(key for key in present if days > index.passing_days.get(key, days))


def _past_notice(field: str, condition: CodedCondition) -> Notice:
    message = (
        f"“{condition.text}” stands on the problem list since {condition.since} without an end: it was taken to be over. "
        "Check whether it is, and close the entry."
    )
    return Notice("missing-data", field, message, condition.text, ("drug-disease",))


def _elsewhere_notice(field: str, condition: CodedCondition) -> Notice:
    message = (
        f"“{condition.text}” was read as said of somebody else, or as over: no medicine was checked against it. "
        "Where it is the patient's and present, send it on its own."
    )
    return Notice("missing-data", field, message, condition.text, ("drug-disease",), (), False)


def read_conditions(
    given: Iterable[CodedCondition], index: ConditionIndex, as_of: date | None = None
) -> tuple[frozenset[str], list[Notice]]:
    """Condition ids of a problem list, and a notice for each entry that is not recognised or too old to speak of today."""
    found: set[str] = set()
    notices = []
    for position, condition in enumerate(given):
        mention, field_ = index.read(condition), f"patient.conditions.{position}"
        past = _past(mention.present, condition.since, as_of, index)
        found |= mention.present - past
        if past:
            notices.append(_past_notice(field_, condition))
        if mention.elsewhere:
            notices.append(_elsewhere_notice(field_, condition))
        if not mention.present and not mention.denied:
            shown = condition.text or f"{condition.system}|{condition.code}"
            message = f"The condition “{shown}” is not known here, so no medicine was checked against it."
            notices.append(Notice("unknown-condition", field_, message, shown, ("drug-disease",)))
    return frozenset(found), notices
