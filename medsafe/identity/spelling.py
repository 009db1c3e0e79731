"""Finds names that look like what was typed: for completing a search, and as candidates for what is unknown.

Looking alike is not being the same (prednisone and prednisolone score 91): nothing found here is ever accepted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator

from rapidfuzz import fuzz, process

from medsafe.identity.resolution import Candidate, Match, NameEntry

CLOSE_ENOUGH = 70.0  # below this a spelling is noise to the reader
_START, _INSIDE, _TYPO = 90.0, 80.0, 0.8  # where in the ranking: starts with, a word starts with, looks like
_OWN_NAME = 5.0  # a generic name stands before brands that begin alike


def names_like(wanted: str, names: Iterable[str], close_enough: float = 60.0) -> tuple[tuple[str, float], ...]:
    """The names that look like `wanted` or share a word of three letters or more with it, each with how much, 0 to 100.

    >>> names_like("nausia", ["nausea", "itch"])
    (('nausea', 83.3),)
    """
    words = {word for word in wanted.split() if len(word) > 2}
    scored = ((name, round(fuzz.QRatio(wanted, name), 1)) for name in names)
    near = [(name, score) for name, score in scored if score >= close_enough or words & set(name.split())]
    return tuple(sorted(near, key=lambda item: (-item[1], item[0])))


# Letters that are written for the same sound in different languages.
_SOUNDS = (("ph", "f"), ("th", "t"), ("ae", "e"), ("oe", "e"), ("y", "i"), ("ck", "k"), ("z", "s"))


def _sound(name: str) -> str:
    for written, heard in _SOUNDS:
        name = name.replace(written, heard)
    return name


class Spellings:
    """The names of an index, laid out for search."""

    def __init__(self, entries: Iterable[tuple[str, NameEntry]], names: dict[str, str]) -> None:
        self._names = names
        self._entries: dict[str, NameEntry] = {}
        for key, entry in entries:
            self._entries.setdefault(key, entry)
        self._keys = sorted(self._entries)
        self._sounds = [_sound(key) for key in self._keys]
        starts = ((" ".join(key.split()[at:]), key) for key in self._keys for at in range(1, len(key.split())))
        self._word_starts = sorted(starts)

    def search(self, query: str, limit: int, among: Container[str] | None = None) -> list[Match]:
        """The best matches for a normalised query; one line per drug."""
        best: dict[str, Match] = {}
        for key, score in self._ranked(query):
            for match in self._matches(key, score):
                known = best.get(match.id)
                if (among is None or match.id in among) and (known is None or score > known.score):
                    best[match.id] = match
        return sorted(best.values(), key=lambda m: (-m.score, m.name != m.match, m.id))[:limit]

    def candidates(self, queries: Iterable[str], limit: int) -> tuple[Candidate, ...]:
        """What the words of an unknown name look like, best first."""
        best: dict[str, Candidate] = {}
        for query in queries:
            for key, score, _ in process.extract(
                query, self._keys, scorer=fuzz.QRatio, limit=limit, score_cutoff=CLOSE_ENOUGH
            ):
                entry = self._entries[key]
                id_ = "+".join(entry.ids)
                if id_ not in best or best[id_].score < score:
                    best[id_] = Candidate(id_, self._shown(entry), round(score, 1))
        return tuple(sorted(best.values(), key=lambda c: (-c.score, c.id))[:limit])

    def _shown(self, entry: NameEntry) -> str:
        return entry.text if len(entry.ids) > 1 else self._names.get(entry.ids[0], entry.text)

    def _matches(self, key: str, score: float) -> Iterator[Match]:
        entry = self._entries[key]
        for drug_id in entry.ids:
            yield Match(drug_id, self._names.get(drug_id, drug_id), entry.text, round(score, 1))

    def _ranked(self, query: str) -> Iterator[tuple[str, float]]:
        if not query:
            return
        at = bisect_left(self._keys, query)
        while at < len(self._keys) and self._keys[at].startswith(query):
            own = _OWN_NAME if self._entries[self._keys[at]].kind == "name" else 0.0
            yield self._keys[at], min(100.0, _START + own + 10.0 * len(query) / len(self._keys[at]))
            at += 1
        yield from self._inside(query)
        if len(query) > 2:
            yield from self._looking_alike(query)

    def _inside(self, query: str) -> Iterator[tuple[str, float]]:
        at = bisect_left(self._word_starts, (query, ""))
        while at < len(self._word_starts) and self._word_starts[at][0].startswith(query):
            key = self._word_starts[at][1]
            yield key, _INSIDE + 9.0 * len(query) / len(key)
            at += 1

    def _looking_alike(self, query: str) -> Iterator[tuple[str, float]]:
        """Slips of the keys, in the whole name and in as much of it as was typed so far."""
        begun = [key[: len(query)] for key in self._keys]
        heard = _sound(query)
        sounds = [sound[: len(heard)] for sound in self._sounds]
        for typed, choices in ((query, self._keys), (query, begun), (heard, sounds)):
            found = process.extract(typed, choices, scorer=fuzz.ratio, limit=20, score_cutoff=CLOSE_ENOUGH)
            yield from ((self._keys[at], _TYPO * score) for _, score, at in found)
