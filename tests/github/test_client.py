"""An event reaches the repositories of the configuration, or the error says whether it may have."""

import json

import pytest

from emulators.github import Dispatched, GitHubStandIn
from emulators.loopback import Answer, LoopbackServer, Request
from functions.github.client import STANDARD
from functions.github.token import GitHubToken, SecretStore
from shared.errors import TargetRefusedError, UnavailableError
from tests.github.given import REPOSITORY, TOKEN, Time, bodies, client_of

ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:github-AbCdEf"


def test_an_event_arrives(github: GitHubStandIn) -> None:
    """204 is success; the workflow gets the payload unchanged, whatever its characters."""
    client_of(github.url).dispatch(REPOSITORY, "train", {"token": "a", "reason": "Qualität fällt 📉"})
    assert github.dispatched() == [
        Dispatched(repository=REPOSITORY, event_type="train", payload={"token": "a", "reason": "Qualität fällt 📉"})
    ]


def test_a_request_has_githubs_headers(github: GitHubStandIn) -> None:
    """The token is sent as a bearer, with the media type and a user agent."""
    client_of(github.url).dispatch(REPOSITORY, "train", {})
    (request,) = github.requests()
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept"] == "application/vnd.github+json"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "retrain-trigger"


def test_an_enterprise_server_has_its_api_below_a_path() -> None:
    """The base URL is used unchanged."""
    with GitHubStandIn(tokens={TOKEN: frozenset({REPOSITORY})}, base="/api/v3") as github:
        client_of(github.url).dispatch(REPOSITORY, "train", {})
        assert len(github.dispatched()) == 1


@pytest.mark.parametrize(
    "repository",
    ["acme/other", "ACME/churn", "acme/churn/../other", "acme/..", "acme/.", "../churn", "acme/churn?x", "äcme/churn"],
)
def test_nothing_else_is_dispatched_to(github: GitHubStandIn, repository: str) -> None:
    """The allow-list is checked before sending, and even its entries must be valid names of repositories."""
    listed = () if repository in {"acme/other", "ACME/churn"} else (repository,)
    with pytest.raises(TargetRefusedError, match=r"is not in github\.repositories of the configuration"):
        client_of(github.url, repositories=(REPOSITORY, *listed)).dispatch(repository, "train", {})
    assert bodies(github) == 0


@pytest.mark.parametrize("name", [".github", "churn.model", "..churn", "_", "-"])
def test_odd_names_of_repositories_are_names(name: str) -> None:
    """GitHub allows dots, dashes and underscores."""
    repository = f"acme/{name}"
    tokens = {TOKEN: frozenset({repository})}
    with GitHubStandIn(repositories=frozenset({repository}), tokens=tokens) as github:
        client_of(github.url, repositories=(repository,)).dispatch(repository, "train", {})
        assert github.dispatched()[0].repository == repository


@pytest.mark.parametrize("length", [0, 101])
def test_an_event_type_has_up_to_a_hundred_characters(github: GitHubStandIn, length: int) -> None:
    """GitHub would refuse it."""
    with pytest.raises(TargetRefusedError, match=f"event_type: GitHub accepts 1 to 100 characters, not {length}"):
        client_of(github.url).dispatch(REPOSITORY, "t" * length, {})
    client_of(github.url).dispatch(REPOSITORY, "t" * 100, {})
    assert bodies(github) == 1


def test_a_repository_that_is_not_there_refuses() -> None:
    """GitHub gives the same answer if the token cannot see it: no repeat helps."""
    with GitHubStandIn(tokens={TOKEN: frozenset({REPOSITORY})}) as github, pytest.raises(TargetRefusedError) as caught:
        client_of(github.url, repositories=("acme/gone",)).dispatch("acme/gone", "train", {})
    assert str(caught.value) == (
        "GitHub will not take the event 'train' for acme/gone: 404: Not Found"
        " (the repository does not exist, or the token cannot see it)"
    )


def test_an_event_that_github_refuses_is_an_error() -> None:
    """422 is permanent; its explanation is one line."""
    with (
        LoopbackServer(
            lambda _: Answer(status=422, body=json.dumps({"message": "Invalid request.\n\nNo more than 10"}).encode())
        ) as server,
        pytest.raises(TargetRefusedError, match=r"422: Invalid request\. No more than 10$"),
    ):
        client_of(server.url).dispatch(REPOSITORY, "train", {})


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("ghp_unknown", "401: Bad credentials (the token in RETRAIN_GITHUB_TOKEN is not valid or has expired)"),
        ("ghp_reader", "403: Resource not accessible by personal access token (the token needs the perm"),
    ],
)
def test_a_missing_right_is_an_operators_matter(github: GitHubStandIn, token: str, reason: str) -> None:
    """As on every cloud the event is kept until the right is there; an immediate retry is useless."""
    with pytest.raises(UnavailableError) as caught:
        client_of(github.url, token=token).dispatch(REPOSITORY, "train", {})
    assert reason in str(caught.value)
    assert token not in str(caught.value)
    assert bodies(github) == 1


def test_a_stand_in_needs_no_token() -> None:
    """Without a token no header is sent."""
    asked: list[Request] = []

    def respond(request: Request) -> Answer:
        asked.append(request)
        return Answer(status=204)

    with LoopbackServer(respond) as server:
        client_of(server.url, token="").dispatch(REPOSITORY, "train", {})
    assert "authorization" not in asked[0].headers


def test_a_rotated_token_is_read_again(github: GitHubStandIn) -> None:
    """A refused token is read again once, without a pause."""
    secrets = iter(["ghp_old", TOKEN])
    token = GitHubToken(ARN, {SecretStore.AWS: lambda _: next(secrets)})
    client_of(github.url, token=token).dispatch(REPOSITORY, "train", {})
    assert [request.headers["authorization"] for request in github.requests()] == ["Bearer ghp_old", f"Bearer {TOKEN}"]
    assert len(github.dispatched()) == 1


def test_a_token_that_stays_wrong_is_sent_once(github: GitHubStandIn) -> None:
    """If the store has no other token, the refusal is raised."""
    token = GitHubToken(ARN, {SecretStore.AWS: lambda _: "ghp_old"})
    with pytest.raises(UnavailableError, match="401"):
        client_of(github.url, token=token).dispatch(REPOSITORY, "train", {})
    assert bodies(github) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Neither the token nor the event is sent to an address that is not configured, on the same host or another."""
    elsewhere: list[Request] = []

    def note(request: Request) -> Answer:
        elsewhere.append(request)
        return Answer(status=204)

    with LoopbackServer(note) as other:
        location = {"Location": f"{other.url}/repositories/1/dispatches"}
        moved = pytest.raises(TargetRefusedError, match=f"{status}, it has moved; configure its new name")
        with LoopbackServer(lambda _: Answer(status=status, headers=location)) as server, moved:
            client_of(server.url).dispatch(REPOSITORY, "train", {})
    assert elsewhere == []


def test_a_repository_that_was_renamed_is_not_followed_either() -> None:
    """GitHub redirects to it by its number, which the configuration does not allow."""
    location = "/repositories/1/dispatches"
    with GitHubStandIn(tokens={TOKEN: frozenset({REPOSITORY})}, moved={REPOSITORY: location}) as github:
        with pytest.raises(TargetRefusedError, match="for acme/churn: 307, it has moved"):
            client_of(github.url).dispatch(REPOSITORY, "train", {})
        assert bodies(github) == 1


def test_a_quoted_token_is_not_shown(time: Time) -> None:
    """A proxy in between may quote a request: the token is replaced."""
    body = json.dumps({"message": f"bad header: Bearer {TOKEN}"}).encode()
    with LoopbackServer(lambda _: Answer(status=400, body=body)) as server, pytest.raises(TargetRefusedError) as caught:
        client_of(server.url, limits=time.limits()).dispatch(REPOSITORY, "train", {})
    assert "bad header: Bearer ***" in str(caught.value)
    assert TOKEN not in repr(caught.value.__cause__)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message": 3}', b"[" * 100_000, b"\xff"])
def test_an_error_without_an_explanation_is_an_error(body: bytes) -> None:
    """The status counts, whatever the body and its length."""
    with LoopbackServer(lambda _: Answer(status=422, body=body)) as server, pytest.raises(TargetRefusedError):
        client_of(server.url).dispatch(REPOSITORY, "train", {})


def test_a_dispatch_fits_into_a_function() -> None:
    """The standard limits leave half of a function's 60 s to the rest."""
    assert STANDARD.total <= 30
    assert STANDARD.attempt < STANDARD.total
