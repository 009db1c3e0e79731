"""Recorded allergies as people write them → drugs, classes and other substances. What is not recognised is told.

One entry may hold several substances and what they did ("penicillin - rash, codeine"). A text that says more than a
substance and a reaction is taken apart at its punctuation only; what is left unread is told, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from medsafe.context.context import Substance
from medsafe.context.engine import Engine
from medsafe.identity.text import normalise_name
from medsafe.model.case import AllergyRecord
from medsafe.model.findings import Notice

PIECES = re.compile(r"[,;:()\[\]/+&]|\s[-–—]+\s|\band\b|\bcauses?\b|\bcaused\b|\bgives\b", re.IGNORECASE)


def read_allergies(records: Iterable[AllergyRecord], engine: Engine) -> tuple[tuple[Substance, ...], list[Notice]]:
    """The substances of an allergy list, and a notice for each entry of which something was not understood."""
    found: list[Substance] = []
    notices: list[Notice] = []
    for position, record in enumerate(records):
        known, unread = _read(record, engine)
        found += [substance for substance in known if substance.ids]
        if unread:
            notices.append(_not_known(unread, position, record, bool(known)))
    return tuple(found), notices


def _not_known(unread: str, position: int, record: AllergyRecord, in_part: bool) -> Notice:
    what = f"“{unread}” in the allergy “{record.substance}”" if in_part else f"The allergy to “{unread}”"
    message = f"{what} is not to a drug or class known here: no medicine was checked against it."
    if in_part:
        message = f"{what} was not understood: no medicine was checked against it."
    return Notice("unknown-drug", f"patient.allergies.{position}", message, record.substance, ("allergy",))


def _read(record: AllergyRecord, engine: Engine) -> tuple[list[Substance], str]:
    """What one entry names, and what of it was not understood."""
    whole = _ids(record.substance, engine)
    if whole is not None:
        return [Substance(record, whole)], ""
    pieces = [piece for piece in (_plain(p, engine) for p in PIECES.split(record.substance)) if piece]
    named = {piece: ids for piece in pieces if (ids := _ids(piece, engine)) is not None}
    rest = [piece for piece in pieces if piece not in named]
    reactions = [piece for piece in rest if named and _is_reaction(piece, engine)]
    reaction = " ".join((record.reaction, *reactions)).strip()
    substances = [Substance(replace(record, substance=p, reaction=reaction), ids) for p, ids in named.items()]
    unread = [piece for piece in rest if piece not in reactions]
    return substances, record.substance if unread and not named else ", ".join(unread)


def _plain(piece: str, engine: Engine) -> str:
    """A piece without the words that only say that it is an allergy."""
    noise = engine.knowledge.wording.allergy_noise
    return " ".join(word for word in piece.split() if normalise_name(word) not in noise)


def _ids(text: str, engine: Engine) -> frozenset[str] | None:
    """Drugs, classes or other substances that a text names; empty where it says that there is no allergy."""
    resolution = engine.names.resolve_name(text)
    ids = frozenset(c.drug_id for c in resolution.components) if resolution.status == "resolved" else frozenset()
    name = normalise_name(text)
    ids |= {engine.allergy_names[spelt] for spelt in _spellings(name) if spelt in engine.allergy_names}
    if ids or name in engine.knowledge.wording.no_allergy:
        return ids
    return frozenset({engine.allergens[name]}) if name in engine.allergens else None


def _spellings(name: str) -> Iterator[str]:
    yield from (name, name.removesuffix("s"), f"{name}s")


def _is_reaction(piece: str, engine: Engine) -> bool:
    """Whether a piece tells only what happened: words of a reaction, and no substance among them."""
    wording = engine.knowledge.wording
    told = any(word in piece.casefold() for word in (*wording.intolerance, *wording.severe_reactions))
    return told and all(_ids(word, engine) is None for word in piece.split())
