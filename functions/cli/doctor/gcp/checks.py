"""The preconditions of a training on Google Cloud; every check uses the caller's own credentials."""

import re
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from functions.cli.doctor.check import ANSWER, PROBE, Check, CheckFailedError, CheckSkippedError, Setting, explained
from functions.cli.doctor.gcp.subscriptions import Subscriptions
from functions.cli.doctor.gcp.vertex import VertexChecks
from functions.cli.doctor.places import Form, form_checks, ledger_checks
from functions.gcp import dead_letters, ledger
from functions.gcp.document_ids import document_id
from functions.gcp.errors import AnswerError, RefusalError, translated
from functions.gcp.ledger import FirestoreLedger
from functions.gcp.secrets import SERVICE, read_secret
from functions.gcp.sessions import Sessions
from functions.github.token import ReadSecret, SecretStore
from shared.errors import UnavailableError

PUBLISH: Final = "pubsub.topics.publish"
# No document has this update time.
IMPOSSIBLE: Final = "1970-01-01T00:00:01Z"

_TOPIC: Final = re.compile(r"projects/[^/]+/topics/[^/]+")
_FORMS: Final = {
    "RETRAIN_BUS": Form(expected="a topic, projects/P/topics/T", pattern=_TOPIC),
    "RETRAIN_LEDGER": Form(
        expected="a collection, projects/P/databases/D/documents/COLLECTION",
        pattern=re.compile(r"projects/[^/]+/databases/[^/]+/documents/[^/]+(/[^/]+/[^/]+)*"),
    ),
    "RETRAIN_DEAD_LETTERS": Form(
        expected="a topic, projects/P/topics/T",
        pattern=_TOPIC,
        unset="a rejected event is answered with an error, so it goes to the subscription's dead-letter topic",
    ),
}
_REFUSED: Final = frozenset({"FAILED_PRECONDITION", "NOT_FOUND", "ABORTED"})


def checks(setting: Setting) -> list[Check]:
    """Return the checks for Google Cloud, in the order in which to fix them."""
    project = _Project(setting)
    return [
        Check(name="credentials", about="there are credentials for Google", run=project.identity),
        *form_checks(setting, _FORMS),
        Check(name="topic", about="the topic exists", run=partial(project.topic, "RETRAIN_BUS")),
        Check(
            name="publishing", about="publishing triggers is permitted", run=partial(project.publishing, "RETRAIN_BUS")
        ),
        *project.subscriptions("RETRAIN_BUS").checks(),
        *ledger_checks("collection", project.read, project.write),
        Check(name="dead letters", about="the topic exists and has a subscription", run=project.dead_letters),
        Check(
            name="dead letters, writing",
            about="publishing rejected events is permitted; nothing was sent",
            run=partial(project.publishing, "RETRAIN_DEAD_LETTERS"),
        ),
        *VertexChecks(setting, project.sessions, _codes_of).checks(),
    ]


def secret_stores(setting: Setting) -> Mapping[SecretStore, ReadSecret]:
    """Return how secrets are read on Google Cloud."""
    session = Sessions(setting.variables).at(SERVICE)
    setting.opened.callback(session.close)
    return {SecretStore.GCP: lambda name: read_secret(session, name)}


class _Project:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.sessions = Sessions(setting.variables)
        self._pubsub, emulator = self.sessions.emulated("PUBSUB_EMULATOR_HOST")
        self._base = emulator or dead_letters.ENDPOINT
        self._firestore, emulated = self.sessions.emulated("FIRESTORE_EMULATOR_HOST")
        self._firestore_base = emulated or ledger.ENDPOINT
        for session in (self._pubsub, self._firestore):
            setting.opened.callback(session.close)

    def identity(self) -> None:
        if self._base != dead_letters.ENDPOINT:
            raise CheckSkippedError("not checked: an emulator does not authenticate")
        hint = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS"
        try:
            with translated("Pub/Sub", "check the credentials"):
                self._pubsub.get(f"{self._base}/v1/{self._setting.needed('RETRAIN_BUS')}")
        except UnavailableError as error:
            # Any answer of the service shows that there are credentials.
            if "CredentialsError" in _codes_of(error):
                raise CheckFailedError(f"there are no usable credentials for Google; {hint}") from error

    def topic(self, variable: str) -> None:
        topic = self._setting.needed(variable)
        missing = CheckFailedError(f"there is no topic {topic}; deploy, or correct {variable}")
        with _explain(missing, permission="pubsub.topics.get"), translated("Pub/Sub", f"get the topic {topic}"):
            self._pubsub.get(f"{self._base}/v1/{topic}")

    def publishing(self, variable: str) -> None:
        topic = self._setting.needed(variable)
        missing = CheckSkippedError(f"not checked: there is no topic {topic}")
        with _explain(missing), translated("Pub/Sub", f"test the permissions on {topic}"):
            answer = self._pubsub.post(f"{self._base}/v1/{topic}:testIamPermissions", {"permissions": [PUBLISH]})
        if PUBLISH not in answer.get("permissions", ()):
            raise CheckFailedError(f"these credentials lack {PUBLISH} on {topic}; grant roles/pubsub.publisher")

    def subscriptions(self, variable: str) -> Subscriptions:
        missing = CheckSkippedError("not checked: the topic does not exist")
        return Subscriptions(
            self._pubsub,
            self._base,
            partial(self._setting.needed, variable),
            lambda permission: _explain(missing, permission=permission),
        )

    def dead_letters(self) -> None:
        self.topic("RETRAIN_DEAD_LETTERS")
        if not self.subscriptions("RETRAIN_DEAD_LETTERS").all():
            topic = self._setting.needed("RETRAIN_DEAD_LETTERS")
            raise CheckFailedError(f"{topic} has no subscription, so rejected events are lost; create one")

    def read(self) -> None:
        collection = self._setting.needed("RETRAIN_LEDGER")
        database = collection.partition("/documents/")[0]
        missing = CheckFailedError(f"there is no Firestore database {database}; deploy, or correct RETRAIN_LEDGER")
        denied = CheckFailedError(f"these credentials may not read {collection} ({ANSWER}); grant roles/datastore.user")
        with _explain(missing, denied=denied):
            # Only a query fails if there is no database; a missing document is a normal answer.
            FirestoreLedger(self._firestore, collection, self._firestore_base).models(None, 1)

    def write(self) -> None:
        """Write under a condition that can never hold: Firestore checks the permission first."""
        collection = self._setting.needed("RETRAIN_LEDGER")
        try:
            self.read()
        except CheckFailedError as error:
            raise CheckSkippedError("not checked: the ledger cannot be read") from error
        denied = CheckFailedError(
            f"these credentials may not write to {collection} ({ANSWER}); grant roles/datastore.user"
        )
        content = {"name": f"{collection}/{document_id(PROBE)}", "fields": {}}
        write = {"update": content, "currentDocument": {"updateTime": IMPOSSIBLE}}
        url = f"{self._firestore_base}/v1/{collection.partition('/documents/')[0]}/documents:commit"
        try:
            with _explain(denied, denied=denied), translated("Firestore", f"write to {collection}", _REFUSED):
                self._firestore.post(url, {"writes": [write]})
        except RefusalError:
            return


def _explain(
    missing: Exception, *, permission: str = "the permission", denied: Exception | None = None
) -> AbstractContextManager[None]:
    lacking = CheckSkippedError(f"not checked: these credentials lack {permission}, which only this check needs")
    meanings: dict[str, Exception] = {
        "NOT_FOUND": missing,
        "PERMISSION_DENIED": denied or lacking,
        "CredentialsError": CheckSkippedError("not checked: there are no usable credentials for Google"),
        "UNIMPLEMENTED": CheckSkippedError("not checked: an emulator has no permissions"),
    }
    return explained(_codes_of, meanings)


def _codes_of(error: UnavailableError) -> Collection[str]:
    cause = error.__cause__
    return {cause.code} if isinstance(cause, AnswerError) else {type(cause).__name__}
