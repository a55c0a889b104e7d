"""`notifyctl review`: posts the plan as a comment on a pull or merge request and keeps it up to date."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import click

from notifyctl.cli.options import as_of_option, echo, get_globals, global_options, only_option
from notifyctl.errors import NotifyctlError, ProviderError
from notifyctl.exit_codes import ExitCode


@click.command("review")
@only_option
@click.option("--base", metavar="REV", help="Compare with this commit, for example origin/main.")
@click.option(
    "--offline",
    is_flag=True,
    help="Plan without the ledger, for pull requests from forks. Earlier sends are then unknown.",
)
@click.option(
    "--when",
    type=click.Choice(["changes", "blocked", "always"]),
    default="changes",
    show_default=True,
    help="When to comment: if something changes or is sent; if something needs attention; always. An existing comment is always updated.",
)
@click.option(
    "--forge", type=click.Choice(["github", "gitlab"]), help="Default: detected from the CI environment."
)
@click.option(
    "--pull",
    type=click.IntRange(min=1),
    metavar="N",
    help="Pull or merge request. Default: the one that CI runs for.",
)
@as_of_option
@global_options
@click.pass_context
def command(
    context: click.Context,
    only: tuple[str, ...],
    base: str | None,
    offline: bool,  # noqa: FBT001 - click passes flags by name
    when: str,
    forge: str | None,
    pull: int | None,
    as_of_time: datetime | None,
) -> int:
    """Post the plan as a comment on a pull or merge request. A later run updates the comment; an older run never does.

    The token comes from the environment variable GITHUB_TOKEN or GITLAB_TOKEN.

    \b
    notifyctl -e production review --base origin/main
    notifyctl review --offline --base origin/main --when always
    """
    from notifyctl.app.as_of import as_of
    from notifyctl.app.diff import review
    from notifyctl.app.plan import make_plan
    from notifyctl.app.review import (
        comment,
        failed_subject,
        forge_of,
        is_settled,
        project_folder,
        should_comment,
    )
    from notifyctl.app.workspace import open_workspace
    from notifyctl.forge.comments import Verb
    from notifyctl.views.markdown import render, render_failure

    settings = get_globals(context)
    workspace = as_of(open_workspace(settings.chdir), as_of_time)
    pull_request = forge_of(workspace.environ, named=forge, number=pull)
    try:
        environment = workspace.environment(settings.env)
        plan = make_plan(workspace, environment, only=only, offline=offline)
        changes = review(workspace, environment, base, plan, only=only) if base is not None else None
    except NotifyctlError:
        subject = failed_subject(workspace, settings.env)
        if subject is not None:
            failure = render_failure(subject, workspace.made_at or workspace.clock.now())
            with suppress(ProviderError):  # the first failure is the one to report
                comment(pull_request, failure, workspace.environ, create=False)
        raise
    create = should_comment(plan, changes, when)
    body = render(
        plan, changes, folder=project_folder(workspace.root), settled=not create and is_settled(plan, changes)
    )
    decision = comment(pull_request, body, workspace.environ, create=create)
    if decision.verb is Verb.NONE:
        echo("Nothing to report: no comment was posted.", stderr=True)
    else:
        echo(f"The comment on {pull_request.name} was {decision.verb.value}.", stderr=True)
    return ExitCode.DONE
