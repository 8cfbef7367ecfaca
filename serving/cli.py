"""The commands of all floors, and how each of them ends: exit codes, and never a traceback for a user's mistake."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from features.errors import UserError
from serving.disk_trouble import disk_trouble
from serving.people_commands import audit, user
from training.cli import FOLDER, recipes, train

if TYPE_CHECKING:
    from features.wording import Lang

FAULT_OF_OURS, WRONG_USAGE, WRONG_DATA, INTERRUPTED = 1, 2, 3, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="propensity", message="propensity %(version)s")
def commands() -> None:
    """Lead scoring: calibrated probabilities, exact reasons, cutoffs that both teams signed."""


commands.add_command(train)
commands.add_command(recipes)
commands.add_command(user)
commands.add_command(audit)


@commands.command()
@FOLDER
def check(folder: Path) -> None:
    """Say what the tables hold, which rows are put aside and why, and whether there is enough to train on."""
    from features.workspace import load_workspace
    from serving.checking import check_with_agreement

    click.echo(check_with_agreement(load_workspace(folder)), nl=False)


@commands.command()
@FOLDER
def load(folder: Path) -> None:
    """Fill the store from the files that the workspace names beside it; loaded again, nothing is doubled."""
    from serving.load_run import load_folder

    click.echo(load_folder(folder), nl=False)


@commands.command()
@FOLDER
@click.option("--force", metavar="REASON", help="Although a gate refuses; the reason is kept.")
def promote(folder: Path, force: str | None) -> None:
    """Let the challenger serve, if it passes the gates."""
    from serving.promoting import promote_challenger

    click.echo(promote_challenger(folder, force=force), nl=False)


@commands.command()
@FOLDER
@click.option("--version", help="Another model than the challenger: its number.")
@click.option("--out", type=click.Path(path_type=Path), help="A CSV file to write all open leads to.")
def compare(folder: Path, version: str | None, out: Path | None) -> None:
    """Score the open leads with champion and challenger; show who moves between bands, and why."""
    from serving.compare_page import compare_page

    click.echo(compare_page(folder, version=version, out=out), nl=False)


@commands.command()
@FOLDER
def rollback(folder: Path) -> None:
    """Undo the last promotion: the champion of before serves again."""
    from serving.promoting import roll_back

    click.echo(roll_back(folder), nl=False)


@commands.command()
@FOLDER
@click.option("--undo", is_flag=True, help="Serve as before the last time, or as the model left training.")
def recalibrate(folder: Path, undo: bool) -> None:
    """Let the champion's probabilities follow the outcomes that settled since its training."""
    from serving.recalibrating import recalibrate_workspace

    click.echo(recalibrate_workspace(folder, undo=undo), nl=False)


@commands.command()
@FOLDER
@click.option("--mql", help="A cutoff for MQL, such as 0.1 or 10%; with --sql.")
@click.option("--sql", help="A cutoff for SQL; with --mql.")
@click.option("--capacity", type=click.FloatRange(min=0, min_open=True), help="SQLs a week that sales can take.")
def cutoffs(folder: Path, mql: str | None, sql: str | None, capacity: float | None) -> None:
    """Show what cutoffs would have given on the tested moments."""
    from serving.cutoffs_page import cutoffs_page

    click.echo(cutoffs_page(folder, mql=mql, sql=sql, capacity=capacity), nl=False)


@commands.command()
@FOLDER
@click.option("--team", help="marketing or sales; without it nothing is signed, only shown.")
@click.option("--by", "name", help="Who signs.")
def agree(folder: Path, team: str | None, name: str | None) -> None:
    """Show what the agreement would give, and sign it for a team."""
    from serving.agreeing import agree_page

    click.echo(agree_page(folder, team=team, name=name), nl=False)


@commands.command()
@FOLDER
@click.option("--moments", type=click.Path(path_type=Path), help="A table with lead_id and as_of; else all open leads.")
@click.option("--as-of", help="Score the open leads of this time instead of now.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write them.  [FOLDER/scores.parquet]")
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Of the reasons.")
def score(folder: Path, moments: Path | None, as_of: str | None, out: Path | None, lang: Lang) -> None:
    """Score given moments, or every open lead now, with the champion."""
    from serving.scoring_run import score_workspace

    click.echo(score_workspace(folder, moments_file=moments, as_of=as_of, out=out, lang=lang), nl=False)


@commands.command()
@FOLDER
@click.argument("lead_id")
@click.option("--as-of", help="At this time instead of now.")
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="As the HTTP service answers.")
def explain(folder: Path, lead_id: str, as_of: str | None, lang: Lang, as_json: bool) -> None:
    """Show one lead's score and its reasons."""
    from serving.scoring_run import explain_lead

    click.echo(explain_lead(folder, lead_id, as_of=as_of, lang=lang, as_json=as_json), nl=False)


@commands.command()
@FOLDER
@click.argument("action", type=click.Choice(["list", "replay", "drain"]), default="list")
@click.argument("handoff_id", required=False)
@click.option("--dead", is_flag=True, help="Replay all dead letters.")
@click.option("--all", "all_rows", is_flag=True, help="List all, not the first fifty.")
def handoffs(folder: Path, action: str, handoff_id: str | None, dead: bool, all_rows: bool) -> None:
    """List the hand-offs, send dead letters again, or deliver now what is due."""
    from serving.handoffs_page import drain_page, list_page, replay_page

    if action != "replay" and (handoff_id is not None or dead):
        raise click.UsageError("an id and --dead belong to replay")
    if action == "replay":
        click.echo(replay_page(folder, handoff_id=handoff_id, dead=dead), nl=False)
    else:
        click.echo(drain_page(folder) if action == "drain" else list_page(folder, all_rows=all_rows), nl=False)


@commands.command()
@FOLDER
@click.option("--sql", help="From this probability on a lead is sales-ready.  [the agreement's cutoff]")
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True)
def profile(folder: Path, sql: str | None, lang: Lang) -> None:
    """Show what sales-ready leads have in common, and others don't."""
    from serving.leaders_runs import profile_workspace

    click.echo(profile_workspace(folder, lang=lang, sql=sql), nl=False)


@commands.command()
@FOLDER
@click.option("--since", default="30d", show_default=True, help="How long the period is that ends now.")
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
def review(folder: Path, since: str, lang: Lang, as_json: bool) -> None:
    """Show what was handed over, what became of it, and whether the probabilities held."""
    from serving.leaders_runs import review_workspace

    click.echo(review_workspace(folder, since=since, lang=lang, as_json=as_json), nl=False)


@commands.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="All figures as JSON.")
@click.option("--no-recalibrate", is_flag=True, help="Look only; else probabilities follow the outcomes that settled.")
def watch(folder: Path, as_json: bool, no_recalibrate: bool) -> int:
    """Say whether the champion still tells the truth, and when to retrain; for cron: exit code 6 is an alarm."""
    from serving.watch_run import watch_workspace

    text, code = watch_workspace(folder, as_json=as_json, recalibrates=not no_recalibrate)
    click.echo(text, nl=False)
    return code


@commands.command()
@FOLDER
@click.option("--version", "number", help="Of this version, by its number or its run's id.  [the champion]")
@click.option("--no-open", is_flag=True, help="Say where it lies, and open no browser.")
def report(folder: Path, number: str | None, no_open: bool) -> None:
    """Write the model report as one HTML file, and open it: data, leaks, figures, reasons, segments."""
    from serving.reporting import in_a_browser, report_model

    # where nobody sits at a terminal nobody waits for a window
    show = None if no_open or not sys.stdout.isatty() else in_a_browser
    click.echo(report_model(folder, number=number, show=show), nl=False)


@commands.command()
@FOLDER
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def serve(folder: Path, host: str, port: int) -> None:
    """Serve scores over HTTP, and the pages."""
    from serving.launch import serve as launch

    launch(folder, host=host, port=port)


@commands.command()
@click.option("--world", default="completejourney", show_default=True, help="completejourney, cdnow or b2b.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to make it.  [demo/WORLD]")
@click.option("--size", type=click.IntRange(min=1), help="Leads of a simulated world.")
@click.option("--no-serve", is_flag=True, help="End after the ten leads to call first.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def demo(world: str, folder: Path | None, size: int | None, no_serve: bool, port: int) -> None:
    """Make an example workspace, train, promote, score and serve."""
    from serving.demo import run_demo

    run_demo(world, folder or Path("demo") / world, size=size, serve=not no_serve, port=port)


def main() -> None:
    """Run a command and end with its exit code."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        outcome: Any = commands.main(arguments, prog_name="propensity", standalone_mode=False)
    except UserError as error:
        return _say(str(error), error.exit_code)
    except click.exceptions.Abort:
        return _say("interrupted: nothing half-done was kept", INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except KeyboardInterrupt:
        return _say("interrupted: nothing half-done was kept", INTERRUPTED)
    except BrokenPipeError:
        # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        refused = disk_trouble(error)
        if refused is None or os.environ.get("PROPENSITY_DEBUG"):
            return _fault(error)
        return _say(
            f"{refused}\n  expected: a folder that can be written, on a disk with room"
            "\n  next: make room or rights, and run the command again; nothing half-done was kept",
            WRONG_DATA,
        )
    return outcome if isinstance(outcome, int) else 0


def _say(text: str, code: int) -> int:
    print(f"propensity: {text}", file=sys.stderr)
    return code


def _fault(error: Exception) -> int:
    """A fault of ours: where it happened, but not its text, which may hold what stands in a table."""
    if os.environ.get("PROPENSITY_DEBUG"):
        traceback.print_exception(error)
        return FAULT_OF_OURS
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    text = (
        f"a fault of ours ({type(error).__name__} at {place})\n  next: PROPENSITY_DEBUG=1 shows more; please report it"
    )
    return _say(text, FAULT_OF_OURS)
