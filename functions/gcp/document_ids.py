"""The names of models as ids of Firestore documents, readable where they can be."""

import hashlib
import re
from typing import Final
from urllib.parse import quote

# https://cloud.google.com/firestore/quotas#collections_documents_and_fields: at most 1500 bytes, no slash, neither `.`
# nor `..`, and not `__.*__`.
LONGEST: Final = 1500
_RESERVED: Final = re.compile(r"\.\.?|__.*__")


def document_id(model_id: str) -> str:
    """Return the id of the document of *model_id*; two models never share one.

    Letters, digits, `_`, `-` and `.` stay. Every other character, and the first one of a reserved id, becomes `~` and
    two hexadecimal digits for each of its bytes. Percent signs are avoided: servers disagree on how often a path is
    decoded. An id that is too long becomes a hash after `~~`, with which no other id begins.
    """
    name = quote(model_id, safe="").replace("~", "%7E").replace("%", "~")
    if _RESERVED.fullmatch(name):
        name = f"~{ord(name[0]):02X}{name[1:]}"
    return name if len(name) <= LONGEST else f"~~{hashlib.sha256(model_id.encode()).hexdigest()}"
