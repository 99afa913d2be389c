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

    Letters, digits, `_`, `-` and `.` stay; whatever else there is, and the first character of a reserved id, becomes
    `~` and two hexadecimal digits for each of its bytes. No percent sign: in a path servers disagree on how often that
    is decoded. What gets too long becomes a hash behind `~~`, which nothing else begins with.
    """
    name = quote(model_id, safe="").replace("~", "%7E").replace("%", "~")
    if _RESERVED.fullmatch(name):
        name = f"~{ord(name[0]):02X}{name[1:]}"
    return name if len(name) <= LONGEST else f"~~{hashlib.sha256(model_id.encode()).hexdigest()}"
