"""The command line: check a case, look after the data, look up a drug, serve."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import orjson
from marshmallow import ValidationError
from rich.console import Console

from medsafe import __version__
from medsafe.commands.cases import COMMANDS as CASE_COMMANDS
from medsafe.commands.coverage import COMMANDS as COVERAGE_COMMANDS
from medsafe.commands.data import COMMANDS as DATA_COMMANDS
from medsafe.commands.drift import COMMANDS as DRIFT_COMMANDS
from medsafe.commands.releases import COMMANDS as RELEASE_COMMANDS
from medsafe.commands.sheets import COMMANDS as SHEET_COMMANDS
from medsafe.commands.store import feedback, store
from medsafe.commands.terminal import show_bands, show_review
from medsafe.context.engine import Engine
from medsafe.library.load import DataError
from medsafe.library.problems import flatten
from medsafe.service import answer, judge_data, load_engine
from medsafe.settings import DEFAULT_BIND
from medsafe.web.app import data_root

console = Console(soft_wrap=True, highlight=False)


def _engine(root: Path) -> Engine:
    try:
        return load_engine(root)
    except DataError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise SystemExit(1) from None


root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=data_root,
    show_default="MEDSAFE_DATA_DIR, else the source tree",
    help="Folder that holds formulary/ and interaction_data/.",
)


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Medication safety for palliative and cancer care."""


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@root_option
def check(file: Path, as_json: bool, root: Path) -> None:
    """Review the case in FILE (a body of POST /v1/check) and print it for reading."""
    try:
        body: Any = orjson.loads(file.read_bytes())
        shown = answer(body, _engine(root))
    except orjson.JSONDecodeError as error:
        raise click.ClickException(f"{file} is not valid JSON: {error}") from None
    except ValidationError as error:
        lines = [f"  {path}: {text}" for path, text in flatten(error.messages)]
        raise click.ClickException("the case breaks the schema:\n" + "\n".join(lines)) from None
    if as_json:
        click.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        show_review(shown, console)


@main.command()
@click.argument("name")
@root_option
def drug(name: str, root: Path) -> None:
    """Show what happens to the dose of one drug at each kidney and liver function."""
    engine = _engine(root)
    found = engine.names.resolve_name(name)
    ids = [c.drug_id for c in found.components if c.drug_id in engine.index.drugs]
    if not ids:
        listed = ", ".join(c.name for c in engine.names.candidates(name))
        raise click.ClickException(f"{name} is not known" + (f"; did you mean: {listed}?" if listed else ""))
    for drug_id in ids:
        show_bands(engine.index.drugs[drug_id].drug, console)


@main.command()
@click.option("--bind", envvar="MEDSAFE_BIND", default=DEFAULT_BIND, show_default=True, help="Address to serve on.")
@click.option("--workers", envvar="MEDSAFE_WORKERS", default=2, show_default=True, help="Worker processes.")
@root_option
def serve(bind: str, workers: int, root: Path) -> None:
    """Serve with gunicorn."""
    import os

    os.environ["MEDSAFE_BIND"], os.environ["MEDSAFE_WORKERS"], os.environ["MEDSAFE_DATA_DIR"] = (
        bind,
        str(workers),
        str(root),
    )
    here = Path(__file__).resolve().parents[1]
    os.execvp(
        sys.executable,
        [sys.executable, "-m", "gunicorn", "--chdir", str(here), "-c", str(here / "gunicorn.conf.py"), "wsgi:app"],
    )


@main.command()
@click.option("--bind", envvar="MEDSAFE_BIND", default=DEFAULT_BIND, show_default=True, help="Address to serve on.")
@root_option
@click.pass_context
def up(context: click.Context, bind: str, root: Path) -> None:
    """Check the example case, then leave the service running in the background."""
    example = Path(__file__).resolve().parent / "examples" / "check.json"
    context.invoke(check, file=example, as_json=False, root=root)
    from medsafe.background import start

    click.echo(start(bind, root))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
@root_option
def bench(root: Path, as_json: bool) -> None:
    """Measure in one run: review in process, HTTP against a bare view, latency, memory, start and reload."""
    from medsafe.benchmark import lines, measure

    found = measure(root)
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() if as_json else "\n".join(lines(found)))


main.add_command(feedback)
main.add_command(store)


@main.group()
def data() -> None:
    """Look after formulary/ and interaction_data/."""


for command in (
    *DATA_COMMANDS,
    *SHEET_COMMANDS,
    *RELEASE_COMMANDS,
    *DRIFT_COMMANDS,
    *COVERAGE_COMMANDS,
    *CASE_COMMANDS,
):
    data.add_command(command)


@data.command("check")
@click.argument("names", nargs=-1)
@root_option
def check_data(names: tuple[str, ...], root: Path) -> None:
    """Check all data in one run; NAMES keeps only problems whose file name contains one of them."""
    knowledge, problems = judge_data(root)
    shown = [p for p in problems if not names or any(name in p.file for name in names)]
    for problem in shown:
        click.echo(str(problem))
    errors = sum(problem.level == "error" for problem in shown)
    click.echo(
        f"{len(knowledge.drugs)} drugs, {len(knowledge.classes)} classes, {len(knowledge.interactions)} interactions: "
        f"{errors} errors, {len(shown) - errors} warnings"
    )
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
