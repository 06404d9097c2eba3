"""Evidence leaves the market as a download, never shown inline."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from products.record.models import Evidence


def attachment(evidence: Evidence) -> HttpResponse:
    """The file under its own name. The caller has checked who asks."""
    response = HttpResponse(bytes(evidence.content), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, evidence.file_name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
