"""The compiled form of a configuration is the same configuration, and anything else about it is ignored."""

import logging
from pathlib import Path

import pytest

from shared.config.compiled import LazyModels, compiled_file
from shared.config.file import compile_configuration, load_configuration, load_deployed
from shared.errors import ConfigError
from tests.core.samples import model_text

FULL = Path(__file__).with_name("full.toml").read_text(encoding="utf-8")


def written(folder: Path, text: str) -> Path:
    """Write a configuration of *text* to *folder*, compile it, and return its path."""
    path = folder / "retrain.toml"
    path.write_text(text, encoding="utf-8")
    assert compile_configuration(path)
    return path


@pytest.mark.parametrize("text", [FULL, model_text("ü*") + model_text("a.b"), "\ufeff" + model_text()])
def test_it_is_the_same_configuration(tmp_path: Path, text: str) -> None:
    """Every model and every fact about all models is that of the file, and a model is read when it is needed."""
    path = written(tmp_path, text)
    deployed, parsed = load_deployed(path), load_configuration(path)
    assert isinstance(deployed.models, LazyModels)
    assert deployed.outline == parsed.outline
    assert tuple(deployed.models) == parsed.models
    assert deployed.models[:2] == parsed.models[:2]
    assert (deployed.channels, deployed.notify_on, deployed.repositories, deployed.folder, deployed.console_url) == (
        parsed.channels,
        parsed.notify_on,
        parsed.repositories,
        parsed.folder,
        parsed.console_url,
    )
    assert deployed.channel_places() == parsed.channel_places()
    for cloud in ("aws", "gcp", "azure", "local"):
        assert deployed.named(cloud) == parsed.named(cloud)
        assert deployed.scheduled(cloud) == parsed.scheduled(cloud)
        assert deployed.own_schedules(cloud) == parsed.own_schedules(cloud)


def test_it_names_no_folder_of_the_machine_that_made_it(tmp_path: Path) -> None:
    """A bundle is built in one folder and runs in another."""
    path = written(tmp_path, FULL)
    assert str(tmp_path) not in compiled_file(path).read_text(encoding="ascii")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in (path, compiled_file(path)):
        file.rename(moved / file.name)
    assert load_deployed(moved / path.name).folder == moved


@pytest.mark.parametrize("compiled", ["", "null", "[]", "{}", "{", '{"digest": 1}', "\x00", "ü"])
def test_what_is_not_its_compiled_form_is_ignored(
    tmp_path: Path, compiled: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The file is read instead, and the log says why."""
    path = written(tmp_path, FULL)
    compiled_file(path).write_text(compiled, encoding="utf-8")
    with caplog.at_level(logging.WARNING, logger="retrain"):
        assert isinstance(load_deployed(path).models, tuple)
    assert [record.message for record in caplog.records] == ["config.compiled_ignored"]


def test_a_file_that_was_changed_since_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The compiled form is of no use then; mistakes in the new file are reported as ever."""
    path = written(tmp_path, FULL)
    path.write_text(model_text("other"), encoding="utf-8")
    assert load_deployed(path).outline.names == ("other",)
    assert caplog.records
    path.write_text("[models]", encoding="utf-8")
    with pytest.raises(ConfigError, match="is empty"):
        load_deployed(path)
    path.unlink()
    with pytest.raises(ConfigError, match="there is no such file"):
        load_deployed(path)


def test_a_file_without_one_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """This is normal on a developer's machine, and not reported."""
    path = tmp_path / "retrain.toml"
    path.write_text(FULL, encoding="utf-8")
    assert load_deployed(path).models == load_configuration(path).models
    assert not caplog.records


def test_thousands_of_models_are_found_without_reading_them(tmp_path: Path) -> None:
    """Reading a model costs far more than finding it, so only the models that are needed are read."""
    path = written(tmp_path, "".join(model_text(f"m-{number}") for number in range(2_000)))
    deployed = load_deployed(path)
    assert deployed.find("m-1999").name == "m-1999"
    assert len(deployed.named("local")) == len(deployed.models) == 2_000
    assert isinstance(deployed.models, LazyModels)
    assert deployed.models.number_read == 1
