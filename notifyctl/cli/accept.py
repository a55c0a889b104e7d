"""`notifyctl accept`: lets a recurring notification be sent without being asked for each time."""

from __future__ import annotations

from pathlib import Path

import click

from notifyctl.cli.ledger_warnings import warn_of_ledger_error
from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode


@click.command("accept")
@click.argument("series", metavar="PLAN|FINGERPRINT")
@click.option(
    "--until",
    metavar="DATE",
    help="Last day on which it is sent, in the project's time zone, or a time such as 2026-12-31T18:00.",
)
@click.option(
    "--max-recipients",
    type=click.IntRange(min=1),
    metavar="N",
    help="Most recipients of one occurrence. Default: those of today, and as many more as `maxGrowthPercent` allows.",
)
@click.option(
    "--sign",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="KEYFILE",
    help="Prove who you are: sign with this private SSH key, which `policy.accept.people` lists.",
)
@click.option(
    "--signature",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Prove who accepts: a signature of the statement, made with `ssh-keygen -Y sign -n notifyctl-accept`.",
)
@click.option("--statement", is_flag=True, help="Print what is to be signed, and accept nothing.")
@click.option(
    "--base",
    metavar="REV",
    help="For the first acceptance: the commit whose `policy.accept` counts. Default: the branch of origin/HEAD, else HEAD.",
)
@click.option("--revoke", is_flag=True, help="Take the acceptance back.")
@format_option("text", "json")
@global_options
@click.pass_context
def command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    series: str,
    until: str | None,
    max_recipients: int | None,
    key_file: Path | None,
    signature: Path | None,
    statement: bool,  # noqa: FBT001 - click passes flags by name
    base: str | None,
    revoke: bool,  # noqa: FBT001 - click passes flags by name
    form: str,
) -> int:
    """Accept a recurring notification as a series: `run` and `apply --accepted` then send each occurrence when it is due, without
    asking.

    PLAN is a file from `plan --out`; every series in it is accepted. FINGERPRINT begins with `s1:` and is shown by `plan`. It covers the
    schedule, texts, sender, limits and definition of the audience; if any of them changes, the series waits until it is accepted again.

    \b
    notifyctl -e production accept december.plan --until 2026-12-31
    notifyctl -e production accept s1:… --until 2026-12-31 --max-recipients 1200
    notifyctl -e production accept s1:… --until 2026-12-31 --sign ~/.ssh/id_ed25519
    notifyctl -e production accept s1:… --revoke
    """
    from notifyctl.app.acceptance import accept as use_case
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import accept as view

    settings = get_globals(context)
    refuse_contradictions(
        revoke=revoke,
        others=(until, max_recipients, key_file, signature, base, statement or None),
        signed=(key_file, signature, statement or None),
    )
    if until is None and not revoke:
        raise UsageError(
            "an acceptance needs an end", hint="add --until DATE, for example --until 2026-12-31"
        )
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    if statement and until is not None:
        text = use_case.statement_of(
            workspace, environment, series, until=until, max_recipients=max_recipients
        )
        echo(view.statement_as_json(text) if form == "json" else text.text, verbatim=True)
        echo(view.how_to_sign(text, series, until, env=environment.name), stderr=True)
        return ExitCode.DONE
    if until is None:
        found = use_case.revoke(workspace, environment, series)
    else:
        found = use_case.accept(
            workspace,
            environment,
            series,
            until=until,
            max_recipients=max_recipients,
            signature=read_signature(signature),
            key_file=key_file,
            base=base,
        )
    warn_of_ledger_error(workspace, environment)
    zone = workspace.sound.timezone
    echo(
        view.as_json(found, environment)
        if form == "json"
        else view.as_text(found, environment, zone, colour=wants_colour(context))
    )
    return ExitCode.DONE


def refuse_contradictions(*, revoke: bool, others: tuple[object, ...], signed: tuple[object, ...]) -> None:
    if revoke and any(each is not None for each in others):
        raise UsageError("--revoke takes an acceptance back, and cannot be used with other options")
    if sum(each is not None for each in signed) > 1:
        raise UsageError("use only one of --sign, --signature and --statement")


def read_signature(path: Path | None) -> bytes | None:
    """Raises UsageError if the file cannot be read."""
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
