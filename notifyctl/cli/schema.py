"""`notifyctl schema`: prints the JSON Schemas of the files, for editors and validators."""

from __future__ import annotations

from pathlib import Path

import click

from notifyctl.cli.options import echo, force_option, global_options
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode


@click.command("schema")
@click.argument("kind", required=False)
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write all schemas to this folder instead.",
)
@force_option
@global_options
def command(
    kind: str | None,
    folder: Path | None,
    force: bool,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Print the JSON Schema (draft 2020-12) of all kinds, or of KIND.

    \b
    notifyctl schema > notifyctl.json
    notifyctl schema template
    notifyctl schema --write schemas
    """
    from notifyctl.app.outputs import Outputs, is_schema
    from notifyctl.channels import CHANNELS
    from notifyctl.config.jsonschema import build_schemas, render_schema

    schemas = build_schemas([channel.shape for channel in CHANNELS.values()])
    if folder is not None:
        outputs = Outputs(force=force)
        outputs.check(*(folder / name for name in schemas), replaces=is_schema)
        for name, schema in schemas.items():
            outputs.write(folder / name, [render_schema(schema)], private=False)
        echo(f"Wrote {len(schemas)} schemas to {folder}.", stderr=True)
        return ExitCode.DONE
    name = f"{(kind or 'notifyctl').lower()}.json"
    if name not in schemas:
        kinds = ", ".join(sorted(n.removesuffix(".json") for n in schemas if n != "notifyctl.json"))
        raise UsageError(f"unknown kind `{kind}`", hint=f"defined: {kinds}")
    echo(render_schema(schemas[name]), verbatim=True)
    return ExitCode.DONE
