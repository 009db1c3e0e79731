"""What a check costs against the size of the regimen and of the knowledge: `python -m tests.bench.scaling`.

Times are of processor, the least of several runs, so that a busy machine disturbs little; the ratios are what counts. The
checks are `run_checks` over a context; the review derives the context first and is timed with it.
"""

from __future__ import annotations

import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from medsafe.benchmark import twelve_drug_case
from medsafe.context.context import Context
from medsafe.context.derive import derive
from medsafe.context.engine import Engine, build_engine
from medsafe.interactions import ordinary_adult, usual_route
from medsafe.model.case import Case, DrugRef, Order
from medsafe.model.drugs import Drug, DrugClass
from medsafe.model.knowledge import Interaction, Knowledge, PairEnd
from medsafe.request import CASE_SCHEMA, as_case
from medsafe.review import review, run_checks
from medsafe.service import load_engine

ROOT = Path(__file__).resolve().parents[2]
SIZES = (2, 5, 10, 20, 30, 40, 60)
REGIMENS, RUNS, COPIES = 25, 7, 10


def cost(action: Callable[[], object], runs: int = RUNS) -> float:
    """Milliseconds of processor that one call takes."""
    taken = []
    action()
    for _ in range(runs):
        start = time.process_time()
        action()
        taken.append((time.process_time() - start) * 1000)
    return min(taken)


def random_context(engine: Engine, chance: random.Random, size: int) -> Context:
    adult: Any = engine.knowledge.policy["ordinary_adult"]
    drugs = [engine.index.drugs[name].drug for name in chance.sample(sorted(engine.index.drugs), size)]
    orders = [Order(f"regimen.{i}", DrugRef(name=d.name), route=usual_route(d)) for i, d in enumerate(drugs)]
    return derive(Case(patient=ordinary_adult(adult), regimen=tuple(orders)), engine).context


def by_regimen(engine: Engine) -> Iterator[str]:
    chance, points = random.Random(60), []
    for size in SIZES:
        contexts = [random_context(engine, chance, size) for _ in range(REGIMENS)]
        told = statistics.median(len(run_checks(context)[0]) for context in contexts)
        points.append((size, statistics.median(cost(lambda c=c: run_checks(c)) for c in contexts), told))
    base = next(ms / size for size, ms, _ in points if size == 10)
    for size, ms, told in points:
        each = f"{ms / size * 1000:.0f} µs a drug, {ms / size / base:.2f} of that at 10 drugs"
        yield f"{size:3} drugs: {ms:6.2f} ms, {each}; {told:.0f} findings, {ms / told * 1000 if told else 0:.0f} µs each"
    (small, before, _), (large, after, _) = points[2], points[-1]
    yield f"from {small} to {large} drugs the cost grows as size to the power {math.log(after / before) / math.log(large / small):.2f}"


def _renamed(names: frozenset[str], known: frozenset[str], mark: str) -> frozenset[str]:
    return frozenset(f"{name}{mark}" if name in known else name for name in names)


def _copy_class(item: DrugClass, mark: str) -> DrugClass:
    return replace(item, id=f"{item.id}{mark}", parents=tuple(f"{parent}{mark}" for parent in item.parents))


def _copy_drug(drug: Drug, mark: str) -> Drug:
    classes = tuple(f"{name}{mark}" for name in drug.classes)
    return replace(drug, id=f"{drug.id}{mark}", name=f"{drug.name}{mark}", classes=classes)


def _copy_record(record: Interaction, known: frozenset[str], mark: str) -> Interaction:
    def end(one: PairEnd) -> PairEnd:
        return replace(one, ids=_renamed(one.ids, known, mark), excluding=_renamed(one.excluding, known, mark))

    return replace(
        record,
        id=f"{record.id}{mark}",
        needs=tuple(end(one) for one in record.needs),
        absent=_renamed(record.absent, known, mark),
        overrides=frozenset(f"{name}{mark}" for name in record.overrides),
    )


def grown(knowledge: Knowledge, copies: int) -> Knowledge:
    """The knowledge with copies of every drug, class and curated record; pathways and effects are shared by all."""
    known = frozenset(knowledge.drugs) | frozenset(knowledge.classes)
    drugs, classes, records = dict(knowledge.drugs), dict(knowledge.classes), dict(knowledge.interactions)
    for number in range(copies):
        mark = f"-copy-{number}"
        drugs |= {f"{key}{mark}": _copy_drug(drug, mark) for key, drug in knowledge.drugs.items()}
        classes |= {f"{key}{mark}": _copy_class(item, mark) for key, item in knowledge.classes.items()}
        records |= {f"{key}{mark}": _copy_record(row, known, mark) for key, row in knowledge.interactions.items()}
    return replace(knowledge, drugs=drugs, classes=classes, interactions=records)


def by_knowledge(engine: Engine) -> Iterator[str]:
    large = build_engine(grown(engine.knowledge, COPIES), engine.names)
    body = twelve_drug_case(False)
    case = as_case(CASE_SCHEMA.load(body))
    costs: dict[str, list[float]] = {}
    for name, one in (("real", engine), ("grown", large)) * 5:  # in turn, so that both meet the same machine
        context = derive(case, one).context
        gc.collect()
        costs.setdefault(f"{name} checks", []).append(cost(lambda c=context: run_checks(c), 40))
        costs.setdefault(f"{name} review", []).append(cost(lambda e=one: review(case, e), 40))
    best = {name: min(found) for name, found in costs.items()}
    assert review(case, engine).findings == review(case, large).findings
    for name, one in (("real", engine), ("grown", large)):
        held = f"{len(one.index.drugs)} drugs, {len(one.knowledge.interactions)} records"
        yield f"{name} data, {held}: checks of 12 drugs {best[f'{name} checks']:.2f} ms, review {best[f'{name} review']:.2f} ms"
    ratios = (best[f"grown {part}"] / best[f"real {part}"] for part in ("checks", "review"))
    yield "grown against real: checks {:.2f}, review {:.2f}".format(*ratios)


def main() -> None:
    engine = load_engine(ROOT)
    print(*by_regimen(engine), *by_knowledge(engine), sep="\n")


if __name__ == "__main__":
    main()
