"""Which resources of a deployment on Azure are removed, in which order, and which are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# The ledger and the dead letters.
_KEPT: Final = "microsoft.storage/storageaccounts"
# Rights and subscriptions first: they may belong to resources that are kept.
_FIRST: Final = ("microsoft.authorization/roleassignments", "microsoft.eventgrid/systemtopics/eventsubscriptions")
# They end with what they are a part of, or are only a record.
_WITH_PARENT: Final = "microsoft.resources/deployments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The resource ids of a deployment.

    Attributes:
        first: those that are removed first, because others that are kept may hold them.
        then: those that are removed then.
        kept: those that are kept.

    """

    first: tuple[str, ...]
    then: tuple[str, ...]
    kept: tuple[str, ...]


def removal_of(resources: Iterable[str]) -> Removal:
    """Sort the ids of *resources*; parts of a resource are removed, or kept, with it."""
    by_id = sorted(set(resources))
    kinds = {each: _kind(each) for each in by_id}
    return Removal(
        first=tuple(each for each in by_id if kinds[each] in _FIRST),
        then=tuple(
            each for each in by_id if kinds[each].count("/") == 1 and kinds[each] not in (*_FIRST, _KEPT, _WITH_PARENT)
        ),
        kept=tuple(each for each in by_id if kinds[each] == _KEPT),
    )


def _kind(resource: str) -> str:
    """Return the type in a resource id, such as `microsoft.web/sites`, in small letters."""
    namespace, *rest = resource.rpartition("/providers/")[2].split("/")
    return "/".join([namespace, *rest[::2]]).lower()
