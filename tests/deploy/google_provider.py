"""A provider `google` for Terraform that knows the resources of a file of shapes, and accepts whatever they are given.

With it, Terraform itself checks and plans the files: all expressions, types, conditions and references. It runs in an
environment of its own, `.tools/terraform-provider`, with the shapes in the variable SHAPES.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import msgpack
import tf.provider
import tf.runner
from tf.gen import tfplugin_pb2 as messages
from tf.gen import tfplugin_pb2_grpc as services

SHAPES: Mapping[str, Any] = json.loads(os.environ.get("SHAPES", "{}"))
UNKNOWN = msgpack.ExtType(0, b"")
# The fields of data sources, which a plan reads.
FOUND = {"number": "123456789012", "member": "serviceAccount:agent@acme.iam.gserviceaccount.com"}


def _block(shape: Mapping[str, Any]) -> Any:
    nested = messages.Schema.NestedBlock
    return messages.Schema.Block(
        attributes=[
            messages.Schema.Attribute(name=name, type=b'"dynamic"', optional=True, computed=True)
            for name in (*shape["given"], *shape["computed"])
        ],
        block_types=[
            nested(type_name=name, block=_block(inner), nesting=nested.LIST) for name, inner in shape["blocks"].items()
        ],
    )


def _schemas(section: str) -> dict[str, Any]:
    return {kind: messages.Schema(block=_block(shape)) for kind, shape in SHAPES[section].items()}


def _complete(values: Any, shape: Mapping[str, Any]) -> None:
    """Mark the fields that only an apply would know, in blocks, too.

    Values of any type come as their type and the values.
    """
    for value in values[1] if values and isinstance(values[0], bytes | str) else values:
        value.update({name: UNKNOWN for name in shape["computed"] if value.get(name) is None})
        for name, inner in shape["blocks"].items():
            _complete(value[name], inner)


class Provider(services.ProviderServicer):  # type: ignore[misc] # the package has no types
    """Accepts every resource, and plans it as it is given."""

    def __init__(self, _: object) -> None:
        """Take the place of the package's own service."""

    def GetProviderSchema(self, _request: Any, _context: Any) -> Any:
        """Return the shapes as schemas; every field has any type."""
        return messages.GetProviderSchema.Response(
            provider=messages.Schema(block=_block(SHAPES["provider"])),
            resource_schemas=_schemas("resource"),
            data_source_schemas=_schemas("data"),
        )

    def ValidateProviderConfig(self, _request: Any, _context: Any) -> Any:
        """Accept it."""
        return messages.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, _request: Any, _context: Any) -> Any:
        """Accept it."""
        return messages.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, _request: Any, _context: Any) -> Any:
        """Accept it."""
        return messages.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, _request: Any, _context: Any) -> Any:
        """Accept it."""
        return messages.ConfigureProvider.Response()

    def ReadDataSource(self, request: Any, _context: Any) -> Any:
        """Return a value for each field."""
        given = msgpack.unpackb(request.config.msgpack)
        known = {name: [b'"string"', FOUND.get(name, name)] for name in given}
        found = {name: known[name] if value is None else value for name, value in given.items()}
        return messages.ReadDataSource.Response(state=messages.DynamicValue(msgpack=msgpack.packb(found)))

    def PlanResourceChange(self, request: Any, _context: Any) -> Any:
        """Plan what is proposed."""
        planned = msgpack.unpackb(request.proposed_new_state.msgpack)
        _complete([planned], SHAPES["resource"][request.type_name])
        return messages.PlanResourceChange.Response(planned_state=messages.DynamicValue(msgpack=msgpack.packb(planned)))

    def StopProvider(self, _request: Any, _context: Any) -> Any:
        """End."""
        return messages.StopProvider.Response()


if __name__ == "__main__":
    tf.provider.ProviderServicer = Provider
    sys.exit(tf.runner.run_provider(None))
