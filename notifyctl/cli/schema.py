"""`notifyctl schema`: prints the JSON Schemas of the files, for editors and validators."""

from __future__ import annotations

from pathlib import Path

import click

from notifyctl.cli.options import echo, global_options
from notifyctl.exit_codes import ExitCode


@click.command("schema")
@click.argument("kind", required=False)
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write all schemas into this folder instead.",
)
@global_options
def command(kind: str | None, folder: Path | None) -> int:
    """Print the JSON Schema (draft 2020-12) of all kinds, or of KIND.

    \b
    notifyctl schema > notifyctl.json
    notifyctl schema template
    notifyctl schema --write schemas
    """
    from notifyctl.channels import CHANNELS
    from notifyctl.config.jsonschema import build_schemas, render_schema

    schemas = build_schemas([channel.shape for channel in CHANNELS.values()])
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in schemas.items():
            (folder / name).write_text(render_schema(schema), encoding="utf-8")
        echo(f"Wrote {len(schemas)} schemas to {folder}", stderr=True)
        return ExitCode.DONE
    name = f"{(kind or 'notifyctl').lower()}.json"
    if name not in schemas:
        kinds = ", ".join(sorted(n.removesuffix(".json") for n in schemas if n != "notifyctl.json"))
        raise click.UsageError(f"there is no kind {kind!r}; there are: {kinds}")
    echo(render_schema(schemas[name]))
    return ExitCode.DONE
