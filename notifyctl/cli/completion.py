"""`notifyctl completion`: prints shell completion scripts."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from notifyctl.cli.options import echo, global_options
from notifyctl.exit_codes import ExitCode


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@global_options
@click.pass_context
def command(context: click.Context, shell: str) -> int:
    """Print the shell completion script for SHELL.

    \b
    eval "$(notifyctl completion bash)"                                    # in ~/.bashrc
    eval "$(notifyctl completion zsh)"                                     # in ~/.zshrc
    notifyctl completion fish > ~/.config/fish/completions/notifyctl.fish
    """
    completion = get_completion_class(shell)
    assert completion is not None, "click knows the three shells"
    root = context.find_root().command
    echo(completion(root, {}, "notifyctl", "_NOTIFYCTL_COMPLETE").source(), verbatim=True)
    return ExitCode.DONE
