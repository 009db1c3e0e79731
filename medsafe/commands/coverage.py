"""Commands that look at the knowledge as a whole: how far it reaches, a sample to read again, a reference list beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import orjson

from medsafe.commands.data import Teller, json_option, root_option
from medsafe.compare import ReferenceListError, Row, as_plain, compare_pairs, extras, summary
from medsafe.library import coverage as reach
from medsafe.library.load import DataError, read_knowledge
from medsafe.library.sample import sample
from medsafe.library.sections import sections
from medsafe.model.vocabulary import SECTIONS
from medsafe.service import load_engine

SHOWN = 10


def _json(data: Any) -> None:
    click.echo(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())


def _drug_line(d: reach.DrugCoverage) -> str:
    cells = " ".join(f"{reach.MARKS.get(d.sections[s].state, '?'):6}" for s in SECTIONS)
    rests = d.rests_on
    counts = " ".join(f"{rests[basis]:9}" for basis in reach.BASES)
    due = f"{d.review_due_on}{' DUE' if d.due else ''}"
    return f"{d.id:32}{cells}{counts}  {d.second_read_on or 'no'!s:11} {due}"


def _echo_totals(sums: dict[str, Any]) -> None:
    for name, row in sums["sections"].items():
        states = ", ".join(f"{row[state]} {state}" for state in reach.STATES if row[state])
        rests = ", ".join(f"{n} {basis}" for basis, n in row["rests_on"].items() if n)
        click.echo(f"{name:14} {states}" + (f"; rows: {rests}" if rests else ""))
    click.echo(
        f"{sums['drugs']} drugs, {sums['complete']} complete in every section, {sums['second_read']} second-read, "
        f"{sums['due']} due for review, {sums['signed_off']} signed off by a pharmacist"
    )


def _check_page(page: Path, expected: str) -> None:
    """The page must be what the data say today; the lines that differ are named with the command that mends it."""
    found = page.read_text(encoding="utf-8").splitlines() if page.exists() else []
    new = [line for line in expected.splitlines() if line not in found]
    old = [line for line in found if line not in expected.splitlines()]
    if not new and not old:
        click.echo(f"{page} is up to date")
        return
    for line in [*(f"- {line}" for line in old[:SHOWN]), *(f"+ {line}" for line in new[:SHOWN])]:
        click.echo(line, err=True)
    tip = f"medsafe data coverage --write {page}"
    raise click.ClickException(f"{page} is out of date in {max(len(new), len(old))} lines. Tip: {tip}, and commit it")


@click.command("coverage")
@click.argument("names", nargs=-1)
@click.option("--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="Day for which reviews are due; default: today.")
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the page (docs/coverage.md).")
@click.option("--check", type=click.Path(dir_okay=False, path_type=Path), help="Fail when that page is out of date.")
@json_option
@root_option
def coverage(
    names: tuple[str, ...], day: datetime | None, write: Path | None, check: Path | None, as_json: bool, root: Path
) -> None:
    """Per drug and section: complete (c), partial (p), gap (-), not applicable (n); what its rows rest on; what is due."""
    knowledge, _ = read_knowledge(root)
    every = reach.coverage_of(knowledge, day.date() if day else date.today())
    if write is not None:
        write.write_text(reach.document(every), encoding="utf-8")
        click.echo(f"Wrote {write}: {len(every)} drugs")
        return
    if check is not None:
        _check_page(check, reach.document(every))
        return
    shown = [d for d in every if not names or any(name in d.id for name in names)]
    if as_json:
        _json(reach.as_plain(shown))
        return
    heads = " ".join(f"{s[:6]:6}" for s in SECTIONS)
    click.echo(f"{'drug':32}{heads}" + " ".join(f"{basis:>9}" for basis in reach.BASES) + "  second-read review due")
    for item in shown:
        click.echo(_drug_line(item))
    _echo_totals(reach.totals(shown))


@click.command("sample")
@click.argument("count", type=click.IntRange(1, 10_000))
@click.option("--seed", default=0, show_default=True, help="The same seed over the same data draws the same values.")
@click.option("--section", "only", multiple=True, help="Draw from this section only (see `data export --list`).")
@json_option
@root_option
def draw(count: int, seed: int, only: tuple[str, ...], as_json: bool, root: Path) -> None:
    """Draw COUNT clinical values at random, each with file, line, path and sources, to be read again."""
    unknown = [name for name in only if name not in sections()]
    if unknown:
        raise click.ClickException(f"there is no section {unknown[0]!r}; `medsafe data export --list` shows all")
    values = sample(root, count, seed, only)
    if as_json:
        _json({"seed": seed, "values": [asdict(value) for value in values]})
        return
    for number, value in enumerate(values, 1):
        click.echo(f"{number}. {value.file}:{value.line}  {value.path} = {value.value}".replace("\n", " | "))
        scope = "; ".join(
            f"{k} {v}" for k, v in value.row.items() if k != value.path.rsplit(".", 1)[-1] and len(v) < 40
        )
        click.echo(f"     in: {scope}".replace("\n", ", ")[:240])
        if not value.sources:
            click.echo("     no source is cited")
        for source in value.sources:
            click.echo(f"     {source.status:9} {source.citation}: {source.title} {source.url}".rstrip())


def _echo_rows(title: str, rows: Sequence[Row]) -> None:
    click.echo(f"\n{title}: {len(rows) or 'none'}")
    for row in rows:
        click.echo(f"  {row.drug_a:26} {row.drug_b:26} reference {row.reference:9} ours {row.ours:9} {row.hazards}")


@click.command("compare")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--extras",
    "least",
    type=click.Choice(["low", "moderate", "high", "critical"]),
    help="Also list pairs of the list's drugs that it leaves out and we rank at least so.",
)
@click.option("--all", "every", is_flag=True, help="List every pair, agreements too.")
@json_option
@root_option
def compare(file: Path, least: str | None, every: bool, as_json: bool, root: Path) -> None:
    """Set our severities beside a reference list of pairs (CSV: drug_a, drug_b, severity): agreement, misses, extras."""
    try:
        engine = load_engine(root)
        rows = compare_pairs(file, engine, Teller("pairs compared"))
        more = extras(rows, engine, least, Teller("other pairs looked at")) if least else []
    except ReferenceListError as error:
        raise click.ClickException(str(error)) from None
    except DataError as error:
        raise click.ClickException(f"{error}: run `medsafe data check`") from None
    if as_json:
        _json(as_plain(rows, more))
        return
    if every:
        _echo_rows("All pairs", rows)
    for verdict, title in (("missed", "Missed"), ("lower", "Ranked lower"), ("higher", "Ranked higher")):
        _echo_rows(title, [row for row in rows if row.verdict == verdict])
    if least:
        _echo_rows(f"Extras, {least} or above", more)
    click.echo("")
    for line in summary(rows):
        click.echo(line)


COMMANDS = (coverage, draw, compare)
