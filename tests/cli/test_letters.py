"""`letters` shows the dead letters of this machine and sends them again."""

import json
from pathlib import Path

import pytest

from functions.local.bus import SqliteBus
from functions.local.wiring import local_cloud
from functions.machine import now
from shared.ports import DeadLetter
from tests.cli.running import run
from tests.cli.test_commands import CONFIGURATION


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a local cloud with two letters, of which only the first one holds a trigger."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION)
    found = {"RETRAIN_CONFIG": str(tmp_path / "retrain.toml")}
    letters = local_cloud(found).receiver.dead_letters
    assert letters is not None
    detail = {"model_id": "churn", "parameters": {"depth": 3}}
    event = {"source": "ml3_platform", "detail-type": "retrain_trigger", "id": "e-1", "detail": detail}
    error = "parameters.depth: is not a parameter\nof churn"
    letters.put(DeadLetter(at=now(), cloud="local", reason="rejected", error=error, event=event))
    letters.put(DeadLetter(at=now(), cloud="local", reason="undeliverable", error="after 185 attempts", event="no {"))
    return found


def listed(variables: dict[str, str]) -> list[dict[str, str]]:
    """Return what `list --json` shows."""
    letters: list[dict[str, str]] = json.loads(run("letters", "list", "--json", variables=variables).out)["letters"]
    return letters


def test_letters_are_listed_and_shown(variables: dict[str, str]) -> None:
    """Oldest first, with the model where it is known; a line break in an error begins no line."""
    first, second = listed(variables)
    assert list(first) == ["id", "at", "kind", "model_id", "reason", "error"]
    assert (first["kind"], first["model_id"], second["kind"]) == ("rejected", "churn", "undelivered")
    assert "model_id" not in second
    table = run("letters", "list", variables=variables)
    assert (table.code, len(table.out.splitlines())) == (0, 3)
    shown = json.loads(run("letters", "show", second["id"], variables=variables).out)
    assert shown == second | {"event": "no {"}


def test_a_letter_is_sent_and_gone(variables: dict[str, str], tmp_path: Path) -> None:
    """The trigger on the bus has the id of the first delivery; the same letter a second time is exit code 1."""
    first = listed(variables)[0]["id"]
    sent = run("letters", "redrive", first, variables=variables)
    assert (sent.code, sent.out, sent.err) == (0, f"{first}: sent ml3_platform:e-1 of churn\n", "")
    assert SqliteBus(tmp_path / ".local" / "retrain.db", now, lambda: "id").size() == 1
    for command in (("redrive",), ("redrive", "--cloud", "local"), ("show",)):
        gone = run("letters", *command, first, variables=variables)
        assert gone.code == 1
        assert f"no such letter: {first}" in gone.err


def test_all_letters_are_sent_that_can_be(variables: dict[str, str]) -> None:
    """The one without a trigger stays, with the reason, and the exit code is 1."""
    done = run("letters", "redrive", "--all", "--json", variables=variables)
    document = json.loads(done.out)
    assert [each["triggers"] for each in document["sent"]] == [
        [{"model_id": "churn", "trigger_id": "ml3_platform:e-1"}]
    ]
    (refused,) = document["refused"]
    assert (done.code, "an event must be an object" in refused["error"]) == (1, True)
    again = run("letters", "redrive", "--all", variables=variables)
    assert (again.code, again.out) == (1, "0 sent, 1 refused\n")
    assert again.err.startswith(f"{refused['id']}: not sent: ")


@pytest.mark.parametrize(
    "words", [("list", "x"), ("list", "--all"), ("show",), ("show", "x", "y"), ("redrive",), ("redrive", "x", "--all")]
)
def test_words_that_do_not_fit_together_are_wrong_usage(variables: dict[str, str], words: tuple[str, ...]) -> None:
    """Nothing is read or sent."""
    assert run("letters", *words, variables=variables).code == 2


def test_a_cloud_without_a_place_of_letters_is_wrong_usage(variables: dict[str, str]) -> None:
    """The message names the variables and the option."""
    answer = run("letters", "list", "--cloud", "gcp", variables=variables)
    assert (answer.code, "RETRAIN_UNDELIVERED are not set; name the deployment with --env" in answer.err) == (2, True)


def test_a_folder_that_cannot_be_listed(variables: dict[str, str], tmp_path: Path) -> None:
    """It is an error, and not the same as a folder without letters; a folder among the letters is passed over."""
    (tmp_path / "letters" / "folder.json").mkdir(parents=True)
    variables["RETRAIN_DEAD_LETTERS"] = str(tmp_path / "letters")
    assert run("letters", "list", variables=variables).out == "there are no dead letters\n"
    variables["RETRAIN_DEAD_LETTERS"] = str(tmp_path / ("x" * 300))
    answer = run("letters", "list", variables=variables)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("The dead-letter folder could not list its letters: ")
