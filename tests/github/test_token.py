"""The token is configured or read from a secret; it is never shown, and read again when it may have changed."""

from collections.abc import Callable

import pytest

from functions.github.token import GitHubToken, SecretStore, store_of
from shared.errors import ConfigError, UnavailableError
from tests.github.given import TOKEN

ARN = "arn:aws:secretsmanager:eu-west-3:123456789012:secret:prod/github-token-AbCdEf"
GCP = "projects/acme-1/secrets/github-token/versions/latest"
VAULT = "https://acme-1.vault.azure.net/secrets/github-token"
NAMES = {
    ARN: SecretStore.AWS,
    "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:github-AbCdEf": SecretStore.AWS,
    "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:github": SecretStore.AWS,
    GCP: SecretStore.GCP,
    "projects/123/secrets/github_token/versions/7": SecretStore.GCP,
    "projects/acme/locations/europe-west4/secrets/github/versions/1": SecretStore.GCP,
    VAULT: SecretStore.AZURE,
    f"{VAULT}/4387e9f3d6e14c459867679a90fd0f79": SecretStore.AZURE,
    "https://acme.vault.azure.cn/secrets/github": SecretStore.AZURE,
    "https://acme.vault.usgovcloudapi.net/secrets/github": SecretStore.AZURE,
}


def reading(secret: str) -> Callable[[str], str]:
    """Return a store whose secrets are all equal."""
    return lambda _: secret


@pytest.mark.parametrize(("name", "store"), NAMES.items())
def test_the_name_of_a_secret_shows_its_store(name: str, store: SecretStore) -> None:
    """One variable is enough for all stores."""
    asked: list[str] = []

    def read(secret: str) -> str:
        asked.append(secret)
        return TOKEN

    assert store_of(name) is store
    assert GitHubToken(name, {store: read}).current() == TOKEN
    assert asked == [name]


@pytest.mark.parametrize(
    "token", ["ghp_abcDEF123", "github_pat_11ABC_def", "ghs_abc.def-ghi", "0123456789abcdef" * 2 + "01234567"]
)
def test_a_token_is_a_token(token: str) -> None:
    """Every form of GitHub's tokens is accepted, and surrounding blanks are removed."""
    assert GitHubToken(f" {token}\n", {}).current() == token
    assert not GitHubToken(token, {}).renew(token)


@pytest.mark.parametrize(
    "setting",
    [
        "ghp_abc def",
        "ghp_abc\r\nX-Evil: 1",
        "Bearer ghp_abc",
        "arn:aws:secretsmanager:eu-west-3:1:secret:x",
        "arn:aws:ssm:eu-west-3:123456789012:parameter/github",
        "projects/acme/secrets/github",
        "http://acme.vault.azure.net/secrets/github",
        "https://vault.azure.net/secrets/github",
        "https://acme.vault.azure.net/keys/github",
        "https://acme.vault.azure.net/secrets/github?x=1",
        "ghp_ü",
    ],
)
def test_an_invalid_setting_is_an_error_that_does_not_show_it(setting: str) -> None:
    """It may be a token after all; a misspelt name must not be sent to GitHub as one."""
    with pytest.raises(ConfigError, match="RETRAIN_GITHUB_TOKEN: is neither a token nor the name") as caught:
        GitHubToken(setting, {store: reading(TOKEN) for store in SecretStore})
    assert setting not in str(caught.value)


@pytest.mark.parametrize(("name", "store"), NAMES.items())
def test_a_secret_of_another_cloud_is_a_mistake(name: str, store: SecretStore) -> None:
    """A bundle reads its own cloud's store only, and says so when it starts."""
    others = {other: reading(TOKEN) for other in SecretStore if other is not store}
    with pytest.raises(ConfigError, match=f"names a secret of {store}, which this cloud cannot read"):
        GitHubToken(name, others)


@pytest.mark.parametrize(
    "secret", [TOKEN, f"{TOKEN}\n", f'{{"token": "{TOKEN}", "user": "x"}}', f' {{"github": "{TOKEN}"}}']
)
def test_a_secret_may_be_a_json_object(secret: str) -> None:
    """The console of Secrets Manager makes such secrets: the value of `token` counts, or the only one."""
    assert GitHubToken(ARN, {SecretStore.AWS: reading(secret)}).current() == TOKEN


@pytest.mark.parametrize("secret", ["", "two words", "{}", '{"a": "x", "b": "y"}', '{"token": 3}', "{ghp", "[]"])
def test_a_secret_without_a_token_is_an_operators_matter(secret: str) -> None:
    """It is not sent, and not shown."""
    with pytest.raises(UnavailableError, match="the secret holds no token") as caught:
        GitHubToken(ARN, {SecretStore.AWS: reading(secret)}).current()
    assert not secret or secret not in str(caught.value).removesuffix("; try again")


def test_a_secret_is_read_once_in_a_while() -> None:
    """It is not read for every event, yet soon enough after a rotation."""
    now, secrets = [0.0], iter(["ghp_1", "ghp_2"])
    token = GitHubToken(ARN, {SecretStore.AWS: lambda _: next(secrets)}, lifetime=300, monotonic=lambda: now[0])
    assert [token.current(), token.current()] == ["ghp_1", "ghp_1"]
    now[0] = 300
    assert token.current() == "ghp_1"
    now[0] = 301
    assert token.current() == "ghp_2"


def test_a_refused_token_is_read_again() -> None:
    """There may be a new token; without one a retry is useless."""
    secrets = iter(["ghp_1", "ghp_2", "ghp_2"])
    token = GitHubToken(ARN, {SecretStore.AWS: lambda _: next(secrets)})
    assert token.renew(token.current())
    assert token.current() == "ghp_2"
    assert not token.renew("ghp_2")


def test_a_store_that_is_unavailable_is_an_error() -> None:
    """The store's own error is raised, and the next event reads the secret again."""
    answers = [UnavailableError("Secrets Manager", "give the secret"), None]

    def read(_: str) -> str:
        error = answers.pop(0)
        if error:
            raise error
        return TOKEN

    token = GitHubToken(ARN, {SecretStore.AWS: read})
    with pytest.raises(UnavailableError, match="Secrets Manager"):
        token.current()
    assert token.current() == TOKEN


@pytest.mark.parametrize("setting", [TOKEN, ARN])
def test_the_token_is_in_no_text(setting: str) -> None:
    """It is shown neither as a value nor by `repr`."""
    token = GitHubToken(setting, {SecretStore.AWS: reading(TOKEN)})
    token.current()
    assert TOKEN not in f"{token!r} {token}"
