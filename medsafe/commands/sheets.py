"""Commands for sections of the data as spreadsheets: out, edited, and back in with the same checks."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import click
import orjson

from medsafe.commands.data import echo_records, echo_some, echo_tables, json_option, root_option
from medsafe.library.diff import as_plain, record_changes, table_changes
from medsafe.library.load import FORMULARY, INTERACTIONS, digest_of, read_knowledge
from medsafe.library.problems import Problem
from medsafe.library.sections import Column, Section, read_toml, rows_of, sections, with_columns
from medsafe.library.sheet_import import Edit, ImportRefusedError, edits_of, texts_of, told, too_many_removed
from medsafe.library.sheets import Origin, SheetError, read_sheet, write_csv, write_xlsx
from medsafe.library.writing import ChangedMeanwhileError, write_all
from medsafe.service import judge_data


def _section(name: str, root: Path) -> Section:
    known = sections()
    wanted = name.casefold().replace(" ", "_").replace("-", "_")
    for key, section in known.items():
        if wanted in (key, key.replace(".", "_")):
            return with_columns(section, root)
    near = difflib.get_close_matches(wanted, known)
    tip = f"did you mean {', '.join(near)}?" if near else "`medsafe data export --list` shows all"
    raise click.ClickException(f"there is no section {name!r}; {tip}")


def _listed(root: Path) -> Iterator[str]:
    read = cache(read_toml)
    for section in sections().values():
        rows = rows_of(with_columns(section, root), root, read)
        grows = "" if section.growing else "  (rows can't be added or removed)"
        yield f"{section.name:22} {len(rows):5} rows of {section.files}{grows}"


def _target(xlsx: Path | None, csv: Path | None, section: Section) -> Path:
    if xlsx and csv:
        raise click.UsageError("one of --xlsx and --csv, not both")
    return xlsx or csv or Path(f"{section.name}.xlsx")


@click.command("export")
@click.argument("section", required=False)
@click.argument("records", nargs=-1)
@click.option(
    "--xlsx", type=click.Path(dir_okay=False, path_type=Path), help="Write a workbook (best kept: it merges)."
)
@click.option("--csv", type=click.Path(dir_okay=False, path_type=Path), help="Write CSV.")
@click.option("--list", "listing", is_flag=True, help="List the sections.")
@root_option
def export(
    section: str | None, records: tuple[str, ...], xlsx: Path | None, csv: Path | None, listing: bool, root: Path
) -> None:
    """Write SECTION as a spreadsheet, of all records or of RECORDS only; without a file, as SECTION.xlsx."""
    if listing or not section:
        for line in _listed(root):
            click.echo(line)
        return
    chosen = _section(section, root)
    rows = [row for row in rows_of(chosen, root) if not records or row.record in records]
    for name in records:
        if not list(root.glob(chosen.files.replace("*", name))):
            raise click.ClickException(f"there is no record {name!r} in {chosen.files}")
    path = _target(xlsx, csv, chosen)
    origin = Origin(read_knowledge(root)[0].version, digest_of(root), records)
    try:
        (write_csv if path.suffix.casefold() == ".csv" or csv else write_xlsx)(path, chosen, rows, origin)
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {path}: {len(rows)} rows of {chosen.name}")
    click.echo("Edit cells, add rows with an empty `row`, delete rows; lists stand one word a line in their cell.")
    click.echo(f"Next: medsafe data import {path} --dry-run")


@contextmanager
def staged(root: Path, texts: Mapping[str, str]) -> Iterator[Path]:
    """A copy of the data with some files as they will be: checked before anything real is touched."""
    with tempfile.TemporaryDirectory(prefix="medsafe-import-") as folder:
        copy = Path(folder)
        for name in (FORMULARY, INTERACTIONS):
            shutil.copytree(root / name, copy / name, copy_function=_link)
        for file, text in texts.items():
            (copy / file).unlink()
            (copy / file).write_text(text, encoding="utf-8", newline="")
        yield copy


def _link(source: str, target: str) -> None:
    os.symlink(os.path.realpath(source), target)


def _refuse(messages: Iterable[str], why: str) -> None:
    for message in messages:
        click.echo(message, err=True)
    raise click.ClickException(f"{why}; nothing was written")


def _errors(root: Path) -> list[Problem]:
    return [problem for problem in judge_data(root)[1] if problem.level == "error"]


def _show(edits: Sequence[Edit], root: Path, copy: Path, as_json: bool) -> None:
    before, after = read_knowledge(root)[0], read_knowledge(copy)[0]
    records, tables = record_changes(before, after), table_changes(root, copy)
    if as_json:
        plain = {"rows": list(told(edits)), "records": as_plain(records), "tables": as_plain(tables)}
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2, default=str).decode())
        return
    click.echo(f"Rows of the sheet that change: {len(edits)}")
    echo_some(list(told(edits)))
    click.echo(f"Records that change: {len(records) + len(tables)}")
    echo_records(records)
    echo_tables(tables)


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change and check it; write nothing.")
@click.option("--removing", type=int, help="How many rows the sheet removes, where they are many.")
@json_option
@root_option
def import_sheet(file: Path, dry_run: bool, removing: int | None, as_json: bool, root: Path) -> None:
    """Write an edited sheet (from `data export`) back into the files, when the check finds no error."""

    def columns(name: str) -> tuple[Column, ...]:
        return _section(name, root).columns

    try:
        sheet = read_sheet(file, columns)
        section = _section(sheet.section, root)
        edits = edits_of(section, sheet, rows_of(section, root), root)
        if why := too_many_removed(edits, removing):
            raise ImportRefusedError([why])
        texts = texts_of(section, edits, root)
    except SheetError as error:
        raise click.ClickException(str(error)) from None
    except ImportRefusedError as error:
        _refuse([f"error: {text}" for text in error.problems], f"{len(error.problems)} problems in {file.name}")
        return
    if not edits:
        click.echo(f"{file.name} changes nothing: no file was touched")
        return
    if sheet.digest != digest_of(root):
        click.echo(f"note: exported from {sheet.version} ({sheet.digest[:12]}), merged into later data", err=True)
    _take_in(edits, texts, root, dry_run, as_json)


def _take_in(edits: Sequence[Edit], texts: Mapping[str, str], root: Path, dry_run: bool, as_json: bool) -> None:
    before = {file: (root / file).read_bytes() for file in texts}
    with staged(root, texts) as copy:
        _show(edits, root, copy, as_json)
        if errors := _errors(copy):
            _refuse(map(str, errors), f"{len(errors)} errors in the data as they would be")
    if dry_run:
        click.echo("Dry run: nothing was written.", err=True)
        return
    try:
        write_all(root, texts, before)
    except ChangedMeanwhileError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Wrote {len(texts)} files. Next: medsafe data diff", err=True)
    sys.exit(0)


COMMANDS = (export, import_sheet)
