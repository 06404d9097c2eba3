"""Issued documents: the PDF has its hash, hash and content are those of the audit trail, and no number is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from products.record.models import AuditEntry, IssuedDocument
from settlement.verify.mismatch import Mismatch

TABLE = "products_issueddocument"


def documents() -> Iterator[Mismatch]:
    entries = AuditEntry.objects.filter(action="document.issued").values_list("object_id", "facts")
    recorded = {object_id: facts for object_id, facts in entries}
    last: dict[tuple[int, int], int] = {}
    rows = IssuedDocument.objects.order_by("issuer_id", "year", "sequence")
    for document in rows.iterator(chunk_size=100):
        place = (document.issuer_id, document.year)
        if document.sequence != last.get(place, 0) + 1:
            yield Mismatch(TABLE, str(document.pk), f"{document.number}: the number before it is missing")
        last[place] = document.sequence
        if hashlib.sha256(bytes(document.pdf)).hexdigest() != document.sha256:
            yield Mismatch(TABLE, str(document.pk), f"{document.number}: the PDF is not the one that was issued")
        facts = recorded.pop(str(document.pk), None)
        if facts is None:
            yield Mismatch(TABLE, str(document.pk), f"{document.number}: the audit trail does not know it")
            continue
        content = json.dumps(document.content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        said = (facts.get("number"), facts.get("sha256"), facts.get("content_sha256"))
        if said != (document.number, document.sha256, hashlib.sha256(content.encode()).hexdigest()):
            yield Mismatch(
                TABLE, str(document.pk), f"{document.number}: number, hash or content are not those of the audit trail"
            )
    for object_id, facts in sorted(recorded.items()):
        yield Mismatch(TABLE, object_id, f"{facts.get('number')}: issued by the audit trail, and gone")
