"""The loaded service: one engine at a time, proven by its canaries before it answers anyone."""

from __future__ import annotations

import tomllib
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from medsafe import render
from medsafe.casebook import judge
from medsafe.context.engine import Engine, build_engine
from medsafe.library.load import FORMULARY, INTERACTIONS, DataError, digest_of, load_knowledge, read_knowledge
from medsafe.library.problems import Problem
from medsafe.library.releases import CHANGED, RELEASED, ReleaseError, standing
from medsafe.model.knowledge import Knowledge
from medsafe.request import read_body
from medsafe.review import review
from medsafe.terminology.embedded import DrugNames, build_name_index

# How often data that change under the reader are read again before they are refused.
READINGS = 3
OUTCOMES = ("loaded", "unchanged", "refused")


def drug_names(knowledge: Knowledge) -> list[DrugNames]:
    """What terminology needs to know of each drug."""
    spoken = {d.id: (*d.synonyms, d.id.replace("-", " ")) for d in knowledge.drugs.values()}
    return [DrugNames(d.id, d.name, spoken[d.id], d.brands, d.codes) for d in knowledge.drugs.values()]


def load_engine(root: Path) -> Engine:
    """Read, check and compile the data below `root`.

    Raises
    ------
    DataError: with every problem, when the data can't be used.
    """
    return compile_engine(load_knowledge(root), root)


def compile_engine(knowledge: Knowledge, root: Path) -> Engine:
    """Compile knowledge that has been read from `root`, with the names of its tables."""
    names, _ = build_name_index(root / FORMULARY, drug_names(knowledge))
    return build_engine(knowledge, names)


def judge_data(root: Path) -> tuple[Knowledge, list[Problem]]:
    """Everything that is wrong with the data below `root`, doubtful names included as warnings."""
    knowledge, problems = read_knowledge(root)
    _, doubtful = build_name_index(root / FORMULARY, drug_names(knowledge))
    expected, tip = "one meaning for each name", "say in one place only what the name stands for"
    told = [Problem(FORMULARY, "names", text, expected, tip, level="warning") for text in doubtful]
    return knowledge, [*problems, *told]


def answer(body: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """The answer to a well-formed request body, as plain data."""
    return render.review(review(read_body(body), engine))


def failed_canaries(engine: Engine, root: Path) -> list[str]:
    """Canary cases whose known answer is not given; each with what was missing."""
    failures = []
    for path in sorted((root / INTERACTIONS / "canaries").glob("*.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        failures += [f"{path.stem}: {wrong}" for wrong in judge(case["expect"], answer(case["request"], engine))]
    return failures


def read_version(root: Path) -> Engine:
    """Read, check and compile the data below `root` as one version: files that change meanwhile are read again.

    Raises
    ------
    DataError: with every problem, or when the files don't hold still.
    """
    for _ in range(READINGS):
        before = digest_of(root)
        engine = load_engine(root)
        if before == engine.knowledge.digest == digest_of(root):
            return engine
    tip = "put finished files in place in one step, then reload"
    raise DataError([Problem(FORMULARY, "", "the files changed while they were read", "files that hold still", tip)])


def release_standing(knowledge: Knowledge, root: Path) -> str:
    """Whether the data in service are those of a recorded release; a record that can't be read vouches for nothing."""
    try:
        return standing(root, knowledge.version, knowledge.digest)
    except ReleaseError:
        return CHANGED


def _refuse_unreleased(knowledge: Knowledge, root: Path) -> None:
    how = release_standing(knowledge, root)
    if how != RELEASED:
        wrong = f"the digest of the data, {knowledge.digest[:12]}, is not that of a release {knowledge.version} ({how})"
        tip = "`medsafe data verify` tells what differs; `medsafe data release` or `medsafe data rollback` mends it"
        raise DataError([Problem(f"{FORMULARY}/release.toml", "version", wrong, "the data of a recorded release", tip)])


@dataclass(frozen=True, slots=True)
class Loaded:
    """One version in service: compiled, with the canaries it failed and the time it came into service.

    `release` says whether the data are those of the release whose version they carry.
    """

    engine: Engine
    failures: tuple[str, ...]
    loaded_at: datetime
    release: str


@dataclass(frozen=True, slots=True)
class Reload:
    """The outcome of the last attempt to load new data: `loaded`, `unchanged`, or `refused` with the reasons."""

    outcome: str
    at: datetime
    problems: tuple[str, ...] = ()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Service:
    """What the process serves: one immutable version, swapped whole, and the record of attempts to replace it."""

    def __init__(self, root: Path, released_only: bool = False) -> None:
        self.root = root
        self.released_only = released_only
        self.last_reload: Reload | None = None
        self.reloads = dict.fromkeys(OUTCOMES, 0)
        self._loaded: Loaded | None = None
        self._one_at_a_time = Lock()
        # A request that has begun keeps the version it began with, whatever is swapped in meanwhile.
        self._pinned: ContextVar[Loaded | None] = ContextVar("medsafe_version", default=None)

    def start(self) -> None:
        """Load and prove the knowledge; raises DataError on bad data."""
        engine = self._read()
        self._loaded = self._as_loaded(engine, tuple(failed_canaries(engine, self.root)))

    def _read(self) -> Engine:
        engine = read_version(self.root)
        if self.released_only:
            _refuse_unreleased(engine.knowledge, self.root)
        return engine

    def _as_loaded(self, engine: Engine, failures: tuple[str, ...]) -> Loaded:
        return Loaded(engine, failures, _now(), release_standing(engine.knowledge, self.root))

    def reload(self) -> Reload:
        """Load, check and prove the data again; put it in service only when nothing is wrong with it."""
        with self._one_at_a_time:
            done = self._reload()
            self.last_reload = done
            self.reloads[done.outcome] += 1
        return done

    def _reload(self) -> Reload:
        try:
            if self._loaded and digest_of(self.root) == self._loaded.engine.knowledge.digest:
                return Reload("unchanged", _now())
            engine = self._read()
            failures = tuple(failed_canaries(engine, self.root))
        except DataError as error:
            return Reload("refused", _now(), tuple(str(problem) for problem in error.problems))
        except Exception as error:
            # Whatever goes wrong with new data must not take the old out of service.
            return Reload("refused", _now(), (f"error: the data can't be loaded: {error!r}",))
        if failures:
            return Reload("refused", _now(), tuple(f"error: canary {failure}" for failure in failures))
        self._loaded = self._as_loaded(engine, ())
        return Reload("loaded", _now())

    def pin(self) -> None:
        """Hold the version in service for the request that begins."""
        self._pinned.set(self._loaded)

    def unpin(self) -> None:
        """Let the version of a finished request go."""
        self._pinned.set(None)

    @property
    def state(self) -> Loaded | None:
        """The version of this request, else the one in service."""
        return self._pinned.get() or self._loaded

    @property
    def engine(self) -> Engine | None:
        state = self.state
        return state.engine if state else None

    @property
    def failures(self) -> tuple[str, ...]:
        state = self.state
        return state.failures if state else ()

    @property
    def ready(self) -> bool:
        return self.engine is not None and not self.failures
