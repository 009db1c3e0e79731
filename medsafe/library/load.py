"""Reads the two data folders into one Knowledge, or says everything that is wrong with them.

Shape first (schemas, unknown keys refused), then sense (`sense.py`). Nothing is repaired or guessed here.
"""

from __future__ import annotations

import csv
import hashlib
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError

from medsafe.library import sense
from medsafe.library.drug_schema import DrugClassSchema, DrugSchema, SourceSchema, as_class, as_drug
from medsafe.library.graph_schema import (
    AdviceSchema,
    ConditionSchema,
    EffectSchema,
    InteractionSchema,
    OpioidRuleSchema,
    PathwaySchema,
    StepSchema,
    StoppingRuleSchema,
    SymptomSchema,
    as_advice,
    as_condition,
    as_effect,
    as_interaction,
    as_opioid_rule,
    as_pathway,
    as_step,
    as_stopping_rule,
    as_symptom,
)
from medsafe.library.problems import Problem, from_schema
from medsafe.library.wording_schema import WordingSchema
from medsafe.model.drugs import Modulator
from medsafe.model.knowledge import ConversionRow, ExposureRow, Knowledge, Pathway
from medsafe.model.statements import Source
from medsafe.model.wording import Wording

Row = TypeVar("Row")
FORMULARY = "formulary"
INTERACTIONS = "interaction_data"
# Records of releases name the digest of the data, so they are no part of it.
# A rollback at work, and what its folder `old` is called once both folders have been replaced.
RESTORING = ".restoring-"
RESTORED = "restored"
RELEASES = f"{FORMULARY}/releases"
EXPOSURES = f"{FORMULARY}/organ_exposure.csv"
EXPOSURE_COLUMNS = ("drug", "organ", "child_pugh", "from", "below", "auc_ratio", "basis", "reference", "source")
CONVERSION_COLUMNS = (
    "table",
    "opioid",
    "route",
    "unit",
    "direction",
    "meaning",
    "factor",
    "band_from",
    "band_below",
    "source",
    "note",
)


class DataError(Exception):
    """The data folders hold errors; `problems` lists them all."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} problems in the data")


@dataclass
class Reading:
    """What is read so far, and every problem met on the way."""

    root: Path
    problems: list[Problem] = field(default_factory=list)

    def toml(self, path: Path) -> dict[str, Any]:
        """Read one TOML file; a file that can't be read is a problem and reads as empty."""
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.problems.append(
                Problem(self.name(path), "", f"cannot be read: {error}", "a TOML file", "mend the line it names")
            )
            return {}

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def shape(self, schema: Schema, raw: dict[str, Any], file: str, prefix: str = "") -> dict[str, Any] | None:
        """Load a table through its schema; None when it breaks the shape."""
        try:
            loaded: dict[str, Any] = schema.load(raw)
            return loaded
        except ValidationError as error:
            messages = {prefix: error.messages} if prefix else error.messages
            self.problems.extend(from_schema(file, messages))
            return None

    def folder(self, folder: str, schema: Schema, make: Callable[[str, dict[str, Any]], Any]) -> dict[str, Any]:
        """Load every file of a folder; the file's stem is the id."""
        found: dict[str, Any] = {}
        for path in sorted((self.root / folder).glob("*.toml")):
            raw = self.toml(path)
            if not raw and not any(p.file == self.name(path) for p in self.problems):
                self.problems.append(
                    Problem(self.name(path), "", "the file is empty", "a record", "write it, or remove the file")
                )
            loaded = self.shape(schema, raw, self.name(path)) if raw else None
            if loaded is not None:
                found[path.stem] = make(path.stem, loaded)
        return found

    def tables(self, file: str, schema: Schema, make: Callable[[str, dict[str, Any]], Any]) -> dict[str, Any]:
        """Load a file whose top-level tables are the records."""
        path = self.root / file
        found: dict[str, Any] = {}
        for key, raw in self.toml(path).items():
            loaded = self.shape(schema, raw, file, key) if isinstance(raw, dict) else None
            if loaded is not None:
                found[key] = make(key, loaded)
        return found


def digest_of(root: Path) -> str:
    """SHA-256 over the names and bytes of every data file but the records of releases, in order of name."""
    total = hashlib.sha256()
    found = (p for folder in (FORMULARY, INTERACTIONS) for p in (root / folder).rglob("*"))
    files = [p for p in found if p.suffix in (".toml", ".csv") and root / RELEASES not in p.parents]
    for path in sorted(files):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _modulators(data: dict[str, Any], pathways: dict[str, Pathway]) -> tuple[Modulator, ...]:
    made = []
    for key, induces in (("inhibits", False), ("induces", True)):
        for row in data[key]:
            pathway = pathways.get(row["pathway"])
            defaults = (pathway.default_induction if induces else pathway.default_inhibition) if pathway else {}
            ratio = row["ratio"] if row["ratio"] is not None else defaults.get(row["strength"], 0.0)
            made.append(Modulator(induces=induces, **{**row, "ratio": ratio}))
    return tuple(made)


def _number(text: str | None) -> float | None:
    return float(text) if text else None


def _csv_rows(reading: Reading, file: str, columns: str, make: Callable[[dict[str, str]], Row]) -> Iterator[Row]:
    """Every row of a CSV file made into a record; a row that can't be made is a problem."""
    try:
        lines = list(csv.DictReader((reading.root / file).read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        reading.problems.append(Problem(file, "", f"cannot be read: {error}", "a CSV file", "put the file back"))
        return
    for number, row in enumerate(lines, 2):
        try:
            yield make(row)
        except (KeyError, TypeError, ValueError) as error:
            wrong = f"row cannot be read: {error!r}"
            expected, tip = f"columns {columns}", "numbers with a point; no comma within a cell"
            reading.problems.append(Problem(file, f"line {number}", wrong, expected, tip))


def _conversion_row(row: dict[str, str]) -> ConversionRow:
    return ConversionRow(
        row["table"],
        row["opioid"],
        row["route"],
        row["unit"],
        row["direction"],
        row["meaning"],
        float(row["factor"]),
        _number(row["band_from"]),
        _number(row["band_below"]),
        row["source"],
        row["note"],
    )


def _exposure_row(row: dict[str, str]) -> ExposureRow:
    return ExposureRow(
        row["drug"],
        row["organ"],
        row["child_pugh"],
        _number(row["from"]),
        _number(row["below"]),
        float(row["auc_ratio"]),
        row["basis"],
        row["reference"],
        row["source"],
    )


def _conversion(reading: Reading) -> tuple[ConversionRow, ...]:
    columns = ", ".join(CONVERSION_COLUMNS)
    return tuple(_csv_rows(reading, f"{FORMULARY}/opioid_conversion.csv", columns, _conversion_row))


def _organ_exposure(reading: Reading) -> dict[str, tuple[ExposureRow, ...]]:
    columns = ", ".join(EXPOSURE_COLUMNS)
    found: dict[str, tuple[ExposureRow, ...]] = {}
    for row in _csv_rows(reading, EXPOSURES, columns, _exposure_row):
        found[row.drug] = (*found.get(row.drug, ()), row)
    return found


def _sources(reading: Reading) -> dict[str, Source]:
    def make(key: str, loaded: Any) -> Source:
        return Source(key, loaded.title, loaded.status, loaded.url, loaded.edition, loaded.opened_on)

    return reading.tables(f"{FORMULARY}/sources.toml", SourceSchema(), make)


def _wording(reading: Reading) -> Wording:
    file = f"{FORMULARY}/wording.toml"
    raw = reading.toml(reading.root / file)
    loaded: Any = reading.shape(WordingSchema(), raw, file) if raw else None
    return loaded if isinstance(loaded, Wording) else Wording()


def cut_off(root: Path) -> list[Path]:
    """What a rollback left behind that was killed between its steps: the folders are then of two versions."""
    return sorted(p for p in root.glob(f"{RESTORING}*") if (p / "old").is_dir())


def _cut_off(root: Path) -> list[Problem]:
    wrong, tip = (
        "a rollback was cut off here",
        "run `medsafe data rollback VERSION` again: it puts back what was there first",
    )
    return [Problem(p.name, "", wrong, "folders of one version", tip) for p in cut_off(root)]


def read_knowledge(root: Path) -> tuple[Knowledge, list[Problem]]:
    """Read both data folders below `root` and judge them; the Knowledge is only fit for use without errors."""
    reading = Reading(root)
    pathways = reading.tables(f"{INTERACTIONS}/pathways.toml", PathwaySchema(), as_pathway)
    drugs = reading.folder(
        f"{FORMULARY}/drugs", DrugSchema(), lambda key, data: as_drug(key, data, _modulators(data, pathways))
    )
    interactions = reading.folder(f"{INTERACTIONS}/pairs", InteractionSchema(), as_interaction)
    interactions |= reading.folder(f"{INTERACTIONS}/patterns", InteractionSchema(), as_interaction)
    release = reading.toml(root / FORMULARY / "release.toml")
    knowledge = Knowledge(
        version=str(release.get("version", "unreleased")),
        digest=digest_of(root),
        released_on=release.get("released_on", date.min),
        drugs=drugs,
        classes=reading.folder(f"{FORMULARY}/classes", DrugClassSchema(), as_class),
        pathways=pathways,
        effects=reading.folder(f"{INTERACTIONS}/effects", EffectSchema(), as_effect),
        interactions=interactions,
        conditions=reading.tables(f"{FORMULARY}/conditions.toml", ConditionSchema(), as_condition),
        symptoms=reading.folder(f"{FORMULARY}/symptoms", SymptomSchema(), as_symptom),
        conversion=_conversion(reading),
        organ_exposure=_organ_exposure(reading),
        sources=_sources(reading),
        policy=reading.toml(root / INTERACTIONS / "policy.toml"),
        stopping=reading.folder(f"{INTERACTIONS}/stopping", StoppingRuleSchema(), as_stopping_rule),
        opioid_rules=reading.tables(f"{INTERACTIONS}/opioid_safety.toml", OpioidRuleSchema(), as_opioid_rule),
        steps=reading.tables(f"{INTERACTIONS}/steps.toml", StepSchema(), as_step),
        advice=reading.tables(f"{INTERACTIONS}/advice.toml", AdviceSchema(), as_advice),
        wording=_wording(reading),
    )
    return knowledge, sorted({*_cut_off(root), *reading.problems, *sense.judge(knowledge)})


def load_knowledge(root: Path) -> Knowledge:
    """Read the data folders; refuse them, with every problem, if they hold an error.

    Raises
    ------
    DataError: with all problems, when any of them is an error.
    """
    knowledge, problems = read_knowledge(root)
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise DataError(errors)
    return knowledge
