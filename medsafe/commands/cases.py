"""`medsafe data cases`: the pharmacologists' whole patients, judged without any test runner."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson
from marshmallow import ValidationError

from medsafe.casebook import judge
from medsafe.commands.data import Teller, json_option, root_option
from medsafe.context.engine import Engine
from medsafe.library.load import DataError
from medsafe.library.problems import flatten
from medsafe.service import answer, load_engine


def _case(path: Path, engine: Engine) -> tuple[list[str], dict[str, Any] | None]:
    """What a case misses, and the answer it got; a case that can't be read misses everything."""
    try:
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        shown = answer(case["request"], engine)
        missed = list(judge(case["expect"], shown))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return [f"cannot be read: {error}"], None
    except ValidationError as error:
        return [f"request.{path}: {text}" for path, text in flatten(error.messages)], None
    except KeyError as error:
        return [f"{error.args[0]!r} is missing; see medsafe/library/templates/case.toml"], None
    except ValueError as error:
        return [f"an expectation can't be read: {error}"], None
    return missed or _tests_nothing(case["expect"]), shown


def _tests_nothing(expect: dict[str, Any]) -> list[str]:
    return [] if expect else ["[expect] is empty: the case tests nothing"]


def _answer(shown: dict[str, Any]) -> Iterator[str]:
    yield f"  status {shown['status']}"
    for item in shown["findings"]:
        yield f"  {item['severity']:8} {item['hazard']} ({' + '.join(item['drugs'])}) {item['summary']}"
    yield from (f"  notice   {item['code']} {item['field']}" for item in shown["notices"])
    yield from (
        f"  option {item['rank']} {item['action']} {item['drug'] or item['label']}" for item in shown["suggestions"]
    )


@click.command("cases")
@click.argument("names", nargs=-1)
@click.option(
    "--cases", "folder", type=click.Path(path_type=Path), help="Folder of cases; default: tests/cases of --root."
)
@click.option("--show", is_flag=True, help="Also print what was found, as for a single case.")
@json_option
@root_option
def cases(names: tuple[str, ...], folder: Path | None, show: bool, as_json: bool, root: Path) -> None:
    """Judge every case, or those whose name holds one of NAMES; exit code 1 when one does not get what it expects."""
    where = folder or root / "tests" / "cases"
    paths = [p for p in sorted(where.rglob("*.toml")) if not names or any(name in p.stem for name in names)]
    if not paths:
        raise click.ClickException(f"there is no case named so in {where}; `medsafe data new case ID` writes one")
    try:
        engine = load_engine(root)
    except DataError as error:
        raise click.ClickException(f"{error}: run `medsafe data check`") from None
    tell, failed, rows = Teller("cases judged"), 0, []
    for number, path in enumerate(paths, 1):
        missed, shown = _case(path, engine)
        failed += bool(missed)
        rows.append({"case": path.stem, "missed": missed})
        if not as_json:
            _tell(path, missed, shown if show or len(paths) == 1 else None)
        tell(number, len(paths))
    _end(rows, failed, as_json)


def _tell(path: Path, missed: list[str], shown: dict[str, Any] | None) -> None:
    for line in missed:
        click.echo(f"MISSED {path.stem}: {line}")
    if shown is not None:
        click.echo(f"{path.stem}: what the service says")
        for line in _answer(shown):
            click.echo(line)


def _end(rows: list[dict[str, Any]], failed: int, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"cases": rows}, option=orjson.OPT_INDENT_2).decode())
    else:
        click.echo(f"{len(rows) - failed} of {len(rows)} cases get what they expect")
    sys.exit(1 if failed else 0)


COMMANDS = (cases,)
