"""Which events become triggers, of which model, and with which parameters."""

import copy
import dataclasses
from collections.abc import Mapping

import pytest

from shared import emit
from shared.config.targets import Target
from shared.errors import InvalidTriggerError, UnknownModelError, UnreadableEventError
from shared.fields import Parameter
from shared.receive import receive
from shared.training.admission import admit, content_id, trigger_of
from shared.trigger import RetrainTrigger
from shared.wire.eventbridge import decode
from shared.wire.incoming import TriggerEvent
from tests.core.deployment import Deployment, event
from tests.core.samples import HOUR, NOW, configured, model_text, trigger

PARAMETERS = '[models."churn".parameters]\nepochs = 8\nlr = 0.1\nmodel_id = "$model_id"\nschema = "v1"\nfull = true'
CONFIG = configured(model_text("churn", "default = true", PARAMETERS) + model_text("price-*"))


def read(fields: Mapping[str, object], trigger_id: str = "e-1") -> RetrainTrigger:
    """Return the trigger of an event with *fields*, sent an hour ago."""
    requested = TriggerEvent(fields=fields, trigger_id=trigger_id, sent_at=NOW - HOUR)
    return trigger_of(CONFIG, "local", requested, NOW)


def test_what_the_event_says_comes_before_what_the_transport_says() -> None:
    """Id, origin and time are those of the fields, else those of the transport; the origin is then `event`."""
    fields = {"model_id": "churn", "trigger_id": "mine", "origin": "data", "requested_at": "2026-01-01T00:00:00Z"}
    assert read(fields) == trigger(**fields)
    assert read({"model_id": "churn"}) == trigger(trigger_id="e-1", origin="event", requested_at=NOW - HOUR)


def test_an_event_without_a_time_is_of_now() -> None:
    """Where neither the fields nor the transport have a time, it is the present."""
    assert trigger_of(CONFIG, "local", TriggerEvent(fields={"model_id": "churn"}), NOW).requested_at == NOW


def test_an_event_that_brings_no_id_is_known_by_its_content() -> None:
    """Equal content is one trigger, in whatever order it is written; other content is another one."""
    one = read({"model_id": "churn", "reason": "a"}, trigger_id="")
    same = read({"reason": "a", "model_id": "churn"}, trigger_id="")
    other = read({"model_id": "churn", "reason": "b"}, trigger_id="")
    assert one.trigger_id == same.trigger_id == content_id({"model_id": "churn", "reason": "a"})
    assert one.trigger_id != other.trigger_id
    assert len(one.trigger_id) == 64


def test_content_that_is_nested_too_deeply_is_unreadable() -> None:
    """Content that cannot be serialised again cannot be recognised either."""
    content: list[object] = []
    for _ in range(100_000):
        content = [content]
    with pytest.raises(UnreadableEventError, match=r"^the event is nested too deeply$"):
        content_id(content)


@pytest.mark.parametrize("fields", [{}, {"model_id": None}])
def test_an_event_without_a_model_is_for_the_default_one(fields: dict[str, object]) -> None:
    """It goes to the model that is marked, with its parameters; where none is marked the field is missing."""
    assert read(fields | {"epochs": 9}) == trigger(
        trigger_id="e-1", origin="event", requested_at=NOW - HOUR, parameters={"epochs": 9}
    )
    with pytest.raises(InvalidTriggerError) as caught:
        trigger_of(configured(model_text()), "local", TriggerEvent(fields=fields), NOW)
    assert caught.value.field == "model_id"


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ({"epochs": 9, "lr": 0.5}, {"epochs": 9, "lr": 0.5}),
        ({"epochs": 9, "parameters": {"lr": 0.5}}, {"epochs": 9, "lr": 0.5}),
        ({"epochs": 9, "parameters": {"epochs": 10}}, {"epochs": 10}),
        ({"epochs": 9, "parameters": None}, {"epochs": 9}),
        ({"epochs": 0, "full": False}, {"epochs": 0, "full": False}),
        ({"epochs": None, "parameters": {"lr": 0.5}}, {"lr": 0.5}),
        ({"momentum": {"a": 1}, "reason": "x"}, {}),
        ({"schema": 1}, {}),
        ({"epochs": "12"}, {"epochs": 12}),
        ({"parameters": {"epochs": 12.0, "lr": "1e-3", "full": "False"}}, {"epochs": 12, "lr": 0.001, "full": False}),
        ({"parameters": {"schema": 2, "model_id": 7.0}}, {"schema": "2", "model_id": "7"}),
        ({"parameters": {"model_id": "other", "schema": "v2"}}, {"model_id": "other", "schema": "v2"}),
    ],
)
def test_an_extra_field_may_be_a_parameter(fields: dict[str, object], parameters: dict[str, object]) -> None:
    """One whose name the configuration allows counts, but `parameters` come first and null is absent.

    A field of the trigger or the number of the schema is not a parameter; any other extra field is left alone.
    """
    given = copy.deepcopy(fields)
    assert read({"model_id": "churn"} | given).parameters == parameters
    assert given == fields


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"parameters": {"momentum": 1}},
            "parameters.momentum: is not a parameter of churn; it allows epochs, lr, model_id, schema, full",
        ),
        ({"epochs": [9]}, "parameters.epochs: must be a string, a number or a boolean, not [9]"),
        ({"epochs": "abc"}, "parameters.epochs: must be a whole number of at most 64 bits, not 'abc'"),
        ({"parameters": {"lr": "fast"}}, "parameters.lr: must be a number, not 'fast'"),
        ({"parameters": {"full": 1}}, "parameters.full: must be true or false, not 1"),
        ({"parameters": "epochs=9", "epochs": 9}, "parameters: must be an object, not 'epochs=9'"),
        (
            {"model_id": "price-1", "parameters": {"lr": 1}},
            "parameters.lr: is not a parameter of price-*; it allows none",
        ),
        ({"model_id": 7}, "model_id: must be a string, not 7"),
        ({"model_id": ""}, "model_id: the configuration has no model ''; it has churn, price-*"),
        ({"model_id": "chrun"}, "model_id: the configuration has no model 'chrun'; it has churn, price-*"),
        ({"model_id": "price-\n"}, "model_id: must have no control characters, not 'price-\\n'"),
        ({"trigger_id": "t" * 129}, "trigger_id: must have 1 to 128 characters, not 129"),
    ],
)
def test_what_is_ours_but_wrong_is_reported(fields: dict[str, object], message: str) -> None:
    """The error names the field and what is wrong with it."""
    with pytest.raises((InvalidTriggerError, UnknownModelError)) as caught:
        read({"model_id": "churn"} | fields)
    assert str(caught.value) == message


def test_a_trigger_needs_a_target_on_this_cloud() -> None:
    """A model that trains elsewhere is unknown here."""
    for known in (trigger(), trigger(model_id="price-1")):
        assert admit(CONFIG, "local", known) == known
    with pytest.raises(UnknownModelError, match=r'^model_id: models\."churn" has no target\.aws in the configuration$'):
        admit(CONFIG, "aws", trigger())


def test_a_clouds_own_check_gets_what_the_pipeline_would_get() -> None:
    """The further check sees the typed parameters of a trigger that sets some, on both ways in, and may refuse them."""
    seen: list[tuple[str, object]] = []

    def check(target: Target, parameters: Mapping[str, Parameter]) -> None:
        seen.append((target.kind, dict(parameters)))
        if parameters == {"epochs": 13}:
            raise InvalidTriggerError("parameters.epochs", "the pipeline wants another one")

    text = model_text("churn", tables=PARAMETERS)
    receiver = dataclasses.replace(Deployment(text).receiver, check=check)
    emitter = dataclasses.replace(Deployment(text).emitter, check=check)
    assert emit.read_request(emitter, {"model_id": "churn"}).parameters == {}
    assert emit.read_request(emitter, {"model_id": "churn", "parameters": {"epochs": "9"}}).parameters == {"epochs": 9}
    with pytest.raises(InvalidTriggerError, match="the pipeline wants another one"):
        emit.read_request(emitter, {"model_id": "churn", "parameters": {"epochs": "13"}})
    delivered = event({"model_id": "churn", "parameters": {"epochs": 13.0}})
    outcome = receive(receiver, delivered, lambda event: decode(event, receiver.source))
    assert (outcome.decision, outcome.detail) == ("reject", "parameters.epochs: the pipeline wants another one")
    assert seen == [("command", {"epochs": epochs}) for epochs in (9, 13, 13)]
