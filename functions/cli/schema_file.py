"""`retrain schema`: writes the JSON Schema of `retrain.toml` beside it, where editors find it without a network."""

import argparse
import json
from typing import Final

from functions.cli.command import DONE, Command, Context, UsageError

SCHEMA_FILE: Final = "retrain.schema.json"
# Editors resolve the path from the folder of the file that has this line.
SCHEMA_LINE: Final = f"#:schema ./{SCHEMA_FILE}"

_DESCRIPTION: Final = f"""\
Write {SCHEMA_FILE} beside the configuration: the JSON Schema by which editors (Even Better TOML, taplo) complete and
check retrain.toml, if its first line is

  {SCHEMA_LINE}

`retrain init` writes both. Run this again after an upgrade, which may bring new keys; the file is replaced.

examples:
  retrain schema
  retrain schema --config models/retrain.toml"""


def run(context: Context, options: argparse.Namespace) -> int:
    """Write the schema, and print the line that the configuration needs if it has no such line.

    Raises:
        UsageError: the folder cannot be written to.

    """
    from functions.cli.schema import text

    config = context.config_file
    path = config.with_name(SCHEMA_FILE)
    try:
        path.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
    try:
        named = "#:schema" in config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        named = False
    if options.json:
        context.out.write(f"{json.dumps({'written': str(path), 'named': named}, indent=2)}\n")
        return DONE
    context.out.write(f"wrote {path}\n")
    if not named:
        context.out.write(f"\nMake this the first line of {config.name}:\n  {SCHEMA_LINE}\n")
    return DONE


COMMAND: Final = Command(
    name="schema",
    summary="write the JSON Schema of retrain.toml, for editors",
    description=_DESCRIPTION,
    add_options=lambda _: None,
    run=run,
)
