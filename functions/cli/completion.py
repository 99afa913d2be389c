"""`retrain completion`: the code that completes commands, options and models in a shell."""

import argparse
from typing import TYPE_CHECKING, Final

from functions.cli.command import DONE, Command, Context

if TYPE_CHECKING:
    from collections.abc import Iterable

_DESCRIPTION: Final = """\
Print the code that completes commands, options and the names of models in your shell.

examples:
  retrain completion bash > ~/.local/share/bash-completion/completions/retrain
  retrain completion zsh > "${fpath[1]}/_retrain"
  retrain completion fish > ~/.config/fish/completions/retrain.fish"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Print the code for the shell that *options* name."""
    from argcomplete.shell_integration import shellcode

    context.out.write(f"{shellcode(['retrain'], shell=options.shell)}\n")
    return DONE


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, in a process that it has started to complete a command line; does not return then."""
    import argcomplete

    argcomplete.autocomplete(completable(parser))


def completable(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Return *parser* with the completion of the names of models."""
    for action in _actions(parser):
        if action.dest in ("model", "model_option"):
            action.completer = _model_names  # type: ignore[attr-defined] # the attribute that argcomplete reads
    return parser


def _actions(parser: argparse.ArgumentParser) -> "Iterable[argparse.Action]":
    for action in parser._actions:  # noqa: SLF001 - argparse has no public way to list its options
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for command in action.choices.values():
                yield from _actions(command)


def _model_names(prefix: str, **_: object) -> list[str]:
    import os
    from pathlib import Path

    from shared.config.file import load_configuration
    from shared.errors import ConfigError

    context_file = Path.cwd() / (os.environ.get("RETRAIN_CONFIG") or "retrain.toml")
    try:
        models = load_configuration(context_file).models
    except ConfigError:
        return []
    return [model.name for model in models if model.name.startswith(prefix) and not model.is_pattern]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


COMMAND: Final = Command(
    name="completion",
    summary="print the code for completion in a shell",
    description=_DESCRIPTION,
    add_options=_add_options,
    run=run,
)
