"""`retrain schema` writes the schema that the first line of a configuration names."""

import json
import tomllib
from pathlib import Path

import jsonschema_rs

from functions.cli.schema import text
from tests.cli.running import run


def test_the_first_line_of_a_new_configuration_names_a_file_that_is_there(tmp_path: Path) -> None:
    """What `init` writes needs no network: its schema is beside it, and the configuration is valid by it."""
    assert run("init", "--cloud", "aws", str(tmp_path)).code == 0
    content = (tmp_path / "retrain.toml").read_text()
    directive, _, path = content.partition("\n")[0].partition(" ./")
    assert directive == "#:schema"
    schema = json.loads((tmp_path / path).read_text())
    assert "$id" not in schema, "editors would look for it there"
    jsonschema_rs.validator_for(schema).validate(tomllib.loads(content))


def test_the_schema_is_replaced_after_an_upgrade(tmp_path: Path) -> None:
    """It is written beside the configuration that `--config` names, and the line for it is printed if it is missing."""
    config = tmp_path / "retrain.prod.toml"
    config.write_text("[models]\n")
    (tmp_path / "retrain.schema.json").write_text("old")
    answer = run("schema", "--config", str(config))
    assert answer.code == 0
    assert "first line of retrain.prod.toml:\n  #:schema ./retrain.schema.json" in answer.out
    assert (tmp_path / "retrain.schema.json").read_text() == text()
    config.write_text("#:schema ./retrain.schema.json\n[models]\n")
    assert run("schema", "--config", str(config)).out == f"wrote {tmp_path / 'retrain.schema.json'}\n"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is wrong usage, and named."""
    answer = run("schema", "--config", str(tmp_path / "no-folder" / "retrain.toml"))
    assert answer.code == 2
    assert "no-folder/retrain.schema.json: cannot be written (No such file or directory)" in answer.err
