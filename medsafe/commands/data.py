"""Commands for those who edit the data: a new file, what an edit changes, and what it does to patients."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click
import orjson

from medsafe.context.engine import Engine
from medsafe.impact import (
    CaseShift,
    Inherited,
    Reach,
    Shift,
    burden_changes,
    case_shifts,
    dose_changes,
    impact_as_plain,
    impact_of,
    inherited_changes,
    pair_shifts,
    pairs_touched,
)
from medsafe.library.diff import RecordChange, RevisionError, TableChange, data_at, record_changes, table_changes
from medsafe.library.load import read_knowledge
from medsafe.library.problems import Problem
from medsafe.library.scaffold import FOLDERS, NEXT, ScaffoldError, create
from medsafe.service import compile_engine
from medsafe.settings import data_root

SHOWN_ROWS = 40
root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=data_root,
    show_default="MEDSAFE_DATA_DIR, else the source tree",
    help="Folder that holds formulary/ and interaction_data/.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class Teller:
    """Progress on stderr, so that output for machines stays clean; silent where nobody watches and work is short."""

    def __init__(self, what: str) -> None:
        self.what, self.started = what, time.monotonic()
        self.told = self.started

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self.told < 1.0 and done < total:
            return
        if now - self.started < 1.0 and done == total:
            return
        self.told = now
        left = (now - self.started) / done * (total - done)
        click.echo(f"{self.what}: {done} of {total}, about {left:.0f} s left", err=True)


def _tell(errors: Sequence[Problem], where: str) -> None:
    if errors:
        click.echo(
            f"warning: the data {where} hold {len(errors)} errors; what can't be read or names unknown ids is left out of "
            "this comparison. `medsafe data check` lists those of today.",
            err=True,
        )


def _engine(root: Path, where: str) -> Engine:
    """The engine of a data folder, errors told but not fatal: a comparison helps most while the data is being mended."""
    knowledge, problems = read_knowledge(root)
    _tell([p for p in problems if p.level == "error"], where)
    try:
        return compile_engine(knowledge, root)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise click.ClickException(
            f"the data {where} can't be compiled ({error!r}): run `medsafe data check` first, or compare with a later "
            "revision where the data are of a form that this program no longer reads"
        ) from None


@contextmanager
def _both(root: Path, revision: str) -> Iterator[tuple[Path, Engine, Engine]]:
    try:
        with data_at(root, revision) as old:
            yield old, _engine(old, f"at {revision}"), _engine(root, "in your folder")
    except RevisionError as error:
        raise click.ClickException(str(error)) from None


@click.command()
@click.argument("kind", type=click.Choice(sorted(FOLDERS)))
@click.argument("id")
@root_option
def new(kind: str, id: str, root: Path) -> None:
    """Write the annotated template for a new record: drug, pair, pattern, symptom or case."""
    try:
        path = create(root, kind, id, date.today())
    except ScaffoldError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Wrote {path}")
    if kind == "case":
        click.echo("Uncomment and fill: one thing that must be found, and one that must not.")
    else:
        click.echo("Uncomment and fill what a source supports; what none supports stays out, and [coverage] says so.")
    click.echo("Next: " + NEXT[kind].format(id=id))


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return "(nothing)" if value is None else text


def _words(before: Any, after: Any) -> str:
    """Lists of words by what came and went; everything else whole."""
    if isinstance(before, list) and isinstance(after, list):
        came = [f"+ {_value(w)}" for w in after if w not in before]
        return "; ".join([*came, *(f"- {_value(w)}" for w in before if w not in after)]) or "order changed"
    return f"{_value(before)} -> {_value(after)}"


def echo_records(changes: Sequence[RecordChange]) -> None:
    for change in changes:
        click.echo(f"{change.what:8} {change.file} {change.id}")
        for row in change.fields:
            click.echo(f"           {row.path}: {_words(row.before, row.after)}")


def echo_tables(tables: Sequence[TableChange]) -> None:
    for table in tables:
        click.echo(f"changed  {table.file}: {len(table.added)} rows added, {len(table.removed)} removed")
        rows = [*(f"+ {row}" for row in table.added), *(f"- {row}" for row in table.removed)]
        echo_some([f"           {row}" for row in rows])


def echo_some(lines: Sequence[str]) -> None:
    for line in lines[:SHOWN_ROWS]:
        click.echo(line)
    if len(lines) > SHOWN_ROWS:
        click.echo(f"           ... and {len(lines) - SHOWN_ROWS} more (--json lists all)")


def _shift(shift: Shift) -> str:
    return f"{shift.what:8} {' + '.join(shift.drugs)}: {shift.hazard} {shift.before} -> {shift.after}  [{shift.rule}]"


def _echo_inherited(rows: Sequence[Inherited]) -> None:
    lines = [f"         {r.drug}: " + "; ".join([*(f"+ {g}" for g in r.gained), *(f"- {x}" for x in r.lost)]) for r in rows]  # fmt: skip
    echo_some(lines)


def _echo_reach(rows: Sequence[Reach]) -> None:
    echo_some([f"         {r.drug} {r.where}: {r.before} -> {r.after}" for r in rows])


def _echo_shifts(shifts: Sequence[Shift]) -> None:
    """How many by rule, then each, the most serious first."""
    rules = Counter(shift.rule for shift in shifts)
    if len(shifts) > SHOWN_ROWS:
        click.echo("by rule: " + ", ".join(f"{rule} {count}" for rule, count in rules.most_common(12)))
    echo_some([_shift(s) for s in sorted(shifts, key=lambda s: (-s.weight, s.what, s.drugs))])


def _echo_cases(rows: Sequence[CaseShift]) -> None:
    for row in rows:
        status = f": {row.status[0]} -> {row.status[1]}" if row.status[0] != row.status[1] else ""
        click.echo(f"case {row.case}{status}")
        lines = [_shift(s) for s in row.shifts]
        lines += [f"MISSED   {text}" for text in row.newly_missed] + [f"met      {text}" for text in row.newly_met]
        for line in lines:
            click.echo(f"         {line}")


def _heading(text: str, count: int) -> None:
    click.echo(f"\n{text}: {count if count else 'none'}")


@click.command()
@click.argument("revision", default="HEAD")
@click.option("--cases", type=click.Path(path_type=Path), help="Folder of cases; default: tests/cases of --root.")
@json_option
@root_option
def diff(revision: str, cases: Path | None, as_json: bool, root: Path) -> None:
    """What the data change against a git revision (default HEAD): records, reach through the graph, and cases."""
    with _both(root, revision) as (old, before, after):
        records, tables = record_changes(before.knowledge, after.knowledge), table_changes(old, root)
        pairs = pairs_touched(records, before, after)
        shifts = pair_shifts(pairs, before, after, Teller("pairs compared"))
        inherited = inherited_changes(before, after)
        burdens, doses = burden_changes(before, after), dose_changes(before, after)
        told = case_shifts(cases or root / "tests" / "cases", before, after, Teller("cases compared"))
    versions = {"before": _version(before), "after": _version(after)}
    if as_json:
        _echo_json(
            versions,
            records=records,
            tables=tables,
            inherited=inherited,
            burdens=burdens,
            doses=doses,
            pairs=shifts,
            cases=told,
        )
        return
    click.echo(f"{versions['before']['version']} at {revision} -> {versions['after']['version']} in {root}")
    _heading("Records changed", len(records) + len(tables))
    echo_records(records)
    echo_tables(tables)
    _heading("Drugs that gain (+) or lose (-) something through their classes", len(inherited))
    _echo_inherited(inherited)
    _heading("Burdens that drugs newly add to, no more add to, or add to otherwise", len(burdens))
    _echo_reach(burdens)
    _heading("Doses at a kidney or liver function that change", len(doses))
    _echo_reach(doses)
    _heading(f"Findings between two drugs that come, go or change ({len(pairs)} pairs compared)", len(shifts))
    _echo_shifts(shifts)
    _heading("Cases that change", len(told))
    _echo_cases(told)


def _version(engine: Engine) -> dict[str, str]:
    return {"version": engine.knowledge.version, "digest": engine.knowledge.digest}


def _echo_json(versions: dict[str, Any], **parts: Sequence[Any]) -> None:
    plain = {name: [asdict(row) for row in rows] for name, rows in parts.items()}
    click.echo(orjson.dumps({**versions, **plain}, option=orjson.OPT_INDENT_2, default=str).decode())


@click.command()
@click.argument("regimens", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--against", default="HEAD", show_default=True, help="Git revision to compare with.")
@json_option
@root_option
def impact(regimens: Path, against: str, as_json: bool, root: Path) -> None:
    """Findings and interruptions per 1,000 orders before and after, over REGIMENS (bodies of POST /v1/check, one a line)."""
    lines = regimens.read_bytes().splitlines()
    with _both(root, against) as (_, before, after):
        measured = impact_as_plain(impact_of(lines, before, after, Teller("regimens reviewed")))
        measured = {"before": _version(before), "after": _version(after), **measured}
    if as_json:
        click.echo(orjson.dumps(measured, option=orjson.OPT_INDENT_2).decode())
    else:
        _echo_impact(measured)
    if not measured["regimens"]:
        sys.exit(1)


def _echo_impact(measured: dict[str, Any]) -> None:
    click.echo(
        f"{measured['regimens']} regimens, {measured['orders']} orders, {len(measured['unreadable'])} unreadable"
    )
    for row in measured["unreadable"][:SHOWN_ROWS]:
        click.echo(f"  line {row['line']}: {row['why']}")
    for kind, counts in measured["per_1000_orders"].items():
        click.echo(f"{kind} per 1,000 orders: {counts['before']:.1f} -> {counts['after']:.1f}")
    changed = [r for r in measured["rules"] if r["count"]["before"] != r["count"]["after"] or r["examples"]]
    _heading("Rules that speak more, less or otherwise (findings and interruptions per 1,000 orders)", len(changed))
    for row in changed:
        _echo_rule(row)


def _echo_rule(row: dict[str, Any]) -> None:
    found, stops = row["findings"], row["interruptions"]
    click.echo(
        f"{row['rule']:50} {found['before']:8.1f} -> {found['after']:<8.1f} interrupts {stops['before']:.1f} -> {stops['after']:.1f}"
    )
    for example in row["examples"]:
        drugs = " + ".join(example["drugs"])
        click.echo(f"    line {example['line']}: {drugs} {example['hazard']} {example['before']} -> {example['after']}")


COMMANDS = (new, diff, impact)
