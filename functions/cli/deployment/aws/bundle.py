"""The bundle in S3, under its digest, and the template that names it there."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from functions.cli.deployment.aws.errors import code_of, translated
from functions.cli.deployment.errors import DeploymentError

# The one line of template.yaml that says where the code of both functions is.
_CODE: Final = re.compile(r"^( +CodeUri:) \.$", re.MULTILINE)
# us-east-1 is the one region that must not be named when a bucket is made.
_UNNAMED_REGION: Final = "us-east-1"


class S3(Protocol):
    """The calls of botocore's client that are made here."""

    def head_bucket(self, **request: object) -> Mapping[str, Any]:
        """Check that a bucket exists and that the account owns it."""

    def create_bucket(self, **request: object) -> Mapping[str, Any]:
        """Make a bucket."""

    def put_public_access_block(self, **request: object) -> Mapping[str, Any]:
        """Keep a bucket private whatever its policy says."""

    def head_object(self, **request: object) -> Mapping[str, Any]:
        """Return whether an object is there."""

    def put_object(self, **request: object) -> Mapping[str, Any]:
        """Write an object."""


class BundleStore:
    """The bucket that keeps bundles and templates, each under its SHA-256: what was deployed once can be again.

    Args:
        client: S3 in the bucket's region.
        bucket: the bucket's name.
        account: the account that must own it. Names of buckets are global: another account may have taken this one.
        region: the bucket's region.
        endpoint: the address of S3, such as `https://s3.eu-west-3.amazonaws.com`.

    """

    def __init__(self, client: S3, *, bucket: str, account: str, region: str, endpoint: str) -> None:
        self._client = client
        self.bucket = bucket
        self._account = account
        self._region = region
        self._endpoint = endpoint

    def make(self) -> bool:
        """Make the bucket if it is not there, private; return whether it was made.

        Raises:
            DeploymentError: S3 refuses, or another account owns a bucket of this name.

        """
        from botocore.exceptions import ClientError

        with translated(f"look at the bucket {self.bucket}"):
            try:
                self._client.head_bucket(Bucket=self.bucket, ExpectedBucketOwner=self._account)
            except ClientError as error:
                if code_of(error) == "403":
                    raise DeploymentError(
                        f"the bucket {self.bucket} belongs to another account, or these credentials lack "
                        "s3:ListBucket on it; name another one with `bucket` in the environment's settings"
                    ) from error
                if code_of(error) != "404":
                    raise
            else:
                return False
        with translated(f"make the bucket {self.bucket}"):
            place = {"LocationConstraint": self._region}
            self._client.create_bucket(
                Bucket=self.bucket,
                **({} if self._region == _UNNAMED_REGION else {"CreateBucketConfiguration": place}),
            )
            self._client.put_public_access_block(
                Bucket=self.bucket,
                ExpectedBucketOwner=self._account,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
        return True

    def keep(self, content: bytes, suffix: str) -> str:
        """Write *content* unless it is there already, and return its key, `retrain/SHA256SUFFIX`.

        Raises:
            DeploymentError: S3 refuses.

        """
        from botocore.exceptions import ClientError

        key = f"retrain/{hashlib.sha256(content).hexdigest()}{suffix}"
        with translated(f"write to the bucket {self.bucket}"):
            try:
                self._client.head_object(Bucket=self.bucket, Key=key, ExpectedBucketOwner=self._account)
            except ClientError as error:
                # Without s3:ListBucket, S3 answers 403 for an object that is not there.
                if code_of(error) not in ("403", "404"):
                    raise
                self._client.put_object(Bucket=self.bucket, Key=key, Body=content, ExpectedBucketOwner=self._account)
        return key

    def url(self, key: str) -> str:
        """Return the address at which CloudFormation reads an object."""
        return f"{self._endpoint}/{self.bucket}/{key}"


def with_code_at(template: str, bucket: str, key: str) -> str:
    """Return the template with the code of its functions in S3, the rest unchanged.

    Raises:
        DeploymentError: the template does not name the code once, as `CodeUri: .`.

    """
    rewritten, count = _CODE.subn(rf"\1 s3://{bucket}/{key}", template)
    if count != 1:
        raise DeploymentError(f"template.yaml must have exactly one line `CodeUri: .`, not {count}")
    return rewritten


def packed(bundle: Path) -> bytes:
    """Return the zip.

    Raises:
        DeploymentError: there is none.

    """
    try:
        return bundle.read_bytes()
    except OSError as error:
        raise DeploymentError(f"{bundle} cannot be read ({error.strerror}): build it first") from error
