"""The AWS bundle: botocore's data cut down to what the functions call, and no package that nothing imports."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import botocore
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from functions.cli.build.archive import archive
from functions.cli.build.botocore_data import cut_down, method_name
from functions.cli.build.packages import BuildError
from tests.contracts.bundles import ROOT, built_bundle

# With the data of all services it has 20 MB, which take half a second more to load at each cold start.
LIMIT = 4_000_000  # bytes
PACKAGES = {
    "docs",
    "aws_lambda_powertools",
    "botocore",
    "cronsim",
    "dateutil",  # botocore reads times with it
    # the description of the HTTP API, which it serves
    "functions",
    "jmespath",  # botocore and Powertools
    "shared",
    "six.py",  # dateutil
    "tzdata",
    "typing_extensions.py",  # Powertools
    "urllib3",
}
SERVICE = re.compile(r"botocore's `(\w+)` client")


def called() -> Iterator[tuple[str, str]]:
    """Go through the operations that the code calls: service, and method of its client, as its protocols list them."""
    for path in sorted((ROOT / "functions" / "aws").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ClassDef) and (service := SERVICE.search(ast.get_docstring(node) or "")):
                yield from ((service[1], each.name) for each in node.body if isinstance(each, ast.FunctionDef))
    # Called by botocore itself where another role emits, and by a function without a class.
    yield from (("sts", "assume_role"), ("secretsmanager", "get_secret_value"))


@pytest.fixture(scope="module")
def session() -> Session:
    """Return a session of botocore that has the data of the bundle only."""
    session = Session()
    data = str(built_bundle("aws") / "botocore" / "data")
    session.register_component("data_loader", Loader(extra_search_paths=[data], include_default_search_paths=False))
    session.set_credentials("testing", "testing")
    return session


@pytest.fixture(scope="module")
def whole() -> Session:
    """Return a session of botocore with all of its data."""
    session = Session()
    session.set_credentials("testing", "testing")
    return session


def test_the_operations_of_every_service_are_read_from_the_code() -> None:
    """The protocols of the adapters name operations of all services that the functions use."""
    assert {service for service, _ in called()} == {
        "dynamodb",
        "events",
        "sagemaker",
        "secretsmanager",
        "sns",
        "sqs",
        "sts",
    }


@pytest.mark.parametrize(("service", "method"), sorted(set(called())))
@pytest.mark.parametrize("region", ["eu-west-3", "cn-north-1", "us-gov-west-1"])
def test_the_bundle_can_call_every_operation_that_the_code_calls(
    session: Session, whole: Session, service: str, method: str, region: str
) -> None:
    """A client made of the bundle's data has the method, and the endpoint is that of botocore's whole data."""
    client = session.create_client(service, region_name=region)
    assert callable(getattr(client, method))
    assert client.meta.endpoint_url == whole.create_client(service, region_name=region).meta.endpoint_url


def test_names_of_methods_are_those_of_botocore() -> None:
    """For every operation of the services that are used, our spelling of its method is botocore's."""
    loader = Loader()
    for service in {service for service, _ in called()}:
        for name in loader.load_service_model(service, "service-2")["operations"]:
            assert method_name(name) == botocore.xform_name(name)


def test_what_is_kept_of_an_operation_is_complete(session: Session) -> None:
    """Each shape that an operation uses is there with all its members, and nothing has texts for people."""
    whole = Loader()
    for service in {service for service, _ in called()}:
        kept = session.get_component("data_loader").load_service_model(service, "service-2")
        full = whole.load_service_model(service, "service-2")
        assert "documentation" not in json.dumps(kept["shapes"]).replace('"documentation": {"shape"', "")
        for name, operation in kept["operations"].items():
            assert operation["input"]["shape"] == full["operations"][name]["input"]["shape"]
        for name, shape in kept["shapes"].items():
            assert list(shape.get("members", ())) == list(full["shapes"][name].get("members", ()))
            assert shape.get("required") == full["shapes"][name].get("required")


def test_another_layout_of_botocore_is_an_error_of_the_build(tmp_path: Path) -> None:
    """Code that calls nothing, and data that are not where they are expected, end the build instead of the function."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "adapter.py").write_text('client("sqs").send_message()\n', encoding="ascii")
    (tmp_path / "data" / "sqs" / "2012-11-05").mkdir(parents=True)
    with pytest.raises(BuildError, match=r"has no service-2.json; this version of botocore is laid out differently"):
        cut_down(tmp_path, tmp_path / "code")
    (tmp_path / "code" / "adapter.py").write_text("pass\n", encoding="ascii")
    with pytest.raises(BuildError, match="no operation is called"):
        cut_down(tmp_path, tmp_path / "code")


def test_the_bundle_has_no_package_that_nothing_imports() -> None:
    """It holds the packages that a launch needs, without boto3 and s3transfer."""
    found = {entry.name for entry in built_bundle("aws").iterdir()}
    assert {
        name
        for name in found
        if not name.endswith((".dist-info", ".toml", ".compiled", ".txt")) and name != "__pycache__"
    } == (PACKAGES)


def test_the_bundle_is_small(tmp_path: Path) -> None:
    """Zipped it has less than four megabytes, for an instance fetches it before it can start."""
    archive(built_bundle("aws"), tmp_path / "aws.zip")
    assert (tmp_path / "aws.zip").stat().st_size < LIMIT
