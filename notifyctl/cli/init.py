"""`notifyctl init`: creates a project that can be linted, planned and applied at once."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from notifyctl.cli.options import echo, get_globals, global_options
from notifyctl.command_line import command_line, remember
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode

SCHEMA = "# yaml-language-server: $schema={path}\n"

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: {name}
vars: {{brand: Acme Power}}
environments:
  sandbox: {{provider: sandbox}}          # built-in simulator: no account, no real messages
  # production:
  #   provider: webexconnect
  #   endpoint: https://api.eu.webexconnect.io/v2/messages
  #   auth: {{jwt: {{serviceIdEnv: SERVICE_ID, secretEnv: SERVICE_SECRET}}}}
  #   senders: {{sms: CNNECT}}
"""

TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: hello-sms
channel: sms
variables:
  name: {example: Ada}
content:
  type: text
  text: Hello $(name), this is {{ brand }}.
"""

AUDIENCE = """\
apiVersion: notifyctl/v1
kind: Audience
name: first-people
source: {file: people.csv}
columns: {msisdn: phone}
substitutions: {name: first_name}
"""

PEOPLE = """\
first_name,phone
Ada,+447700900123
Grace,+447700900124
Linus,+447700900125
"""

NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: hello-sms
audience: first-people
"""

IGNORE = ".notifyctl/\n"


@click.command("init")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@global_options
@click.pass_context
def command(context: click.Context, folder: Path | None) -> int:
    """Create a project in FOLDER (default: this folder) with a template, an audience and a notification, ready to send.

    The phone numbers in it are reserved sample data, and the sandbox sends no real messages. Existing files are never
    overwritten.

    \b
    notifyctl init hello && cd hello
    notifyctl plan
    notifyctl apply
    """
    from notifyctl.channels import CHANNELS
    from notifyctl.config.jsonschema import build_schemas, render_schema

    target = folder or get_globals(context).chdir or Path.cwd()
    if (target / "notifyctl.yaml").exists():
        raise UsageError(
            f"{target / 'notifyctl.yaml'} already exists; nothing was created",
            hint=f"to create another project, run: {command_line('init', 'NAME')}",
        )
    schema = render_schema(build_schemas([channel.shape for channel in CHANNELS.values()])["notifyctl.json"])
    schema_line, nested_schema_line = (
        SCHEMA.format(path=".schema/notifyctl.json"),
        SCHEMA.format(path="../.schema/notifyctl.json"),
    )
    files = {
        "notifyctl.yaml": schema_line + PROJECT.format(name=project_name(target)),
        "templates/hello-sms.yaml": nested_schema_line + TEMPLATE,
        "audiences/first-people.yaml": nested_schema_line + AUDIENCE,
        "audiences/people.csv": PEOPLE,
        "notifications/hello.yaml": nested_schema_line + NOTIFICATION,
        ".schema/notifyctl.json": schema,
        ".gitignore": IGNORE,
    }
    paths = [write(target / name, text) for name, text in files.items()]
    for path in filter(None, paths):
        echo(f"  {path}")
    where = f"cd {quote(str(target))} && " if target.resolve() != Path.cwd().resolve() else ""
    remember(chdir=None, env=None)  # the commands below are run in the new project
    echo(f"To see what would be sent, run: {where}{command_line('plan')}")
    echo(f"To send it, run: {command_line('apply')}")
    return ExitCode.DONE


def write(path: Path, text: str) -> Path | None:
    """Writes a file unless it exists. An existing .gitignore gets our line appended."""
    if path.exists():
        if path.name == ".gitignore" and IGNORE not in path.read_text(encoding="utf-8"):
            with path.open("a", encoding="utf-8") as stream:
                stream.write(IGNORE)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def project_name(folder: Path) -> str:
    """Derives a valid project name from the folder's name."""
    letters = "".join(
        c if c.isascii() and (c.isalnum() or c in ".-") else "-" for c in folder.resolve().name.lower()
    )
    return letters.strip(".-")[:63] or "notifications"
