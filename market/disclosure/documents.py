"""Issued documents leave the house as the file that was issued, to everyone where they are public, else to their parties."""

from __future__ import annotations

import base64

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from products.record.documents import may_read
from products.record.models import IssuedDocument


@require_safe
def download(request: HttpRequest, key: str) -> HttpResponseBase:
    """The PDF by its number (江发改价〔2026〕7号) or its id. A visitor signs in first; 404 to whom it does not concern."""
    found = IssuedDocument.objects.filter(number=key)
    if key.isascii() and key.isdigit():
        found = IssuedDocument.objects.filter(pk=int(key[:18]))
    document = found.defer("content").first()
    if document is None or not may_read(user=request.user, document=document):
        if not request.user.is_authenticated:  # the same answer for what is not there and what is not public
            return redirect_to_login(request.get_full_path())
        raise Http404
    return attachment(document)


def attachment(document: IssuedDocument) -> HttpResponse:
    """The file as a download; its hash stands in the head, so that a copy can be compared with the archive's."""
    response = HttpResponse(bytes(document.pdf), content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(True, f"{document.number}.pdf") or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    digest = base64.b64encode(bytes.fromhex(document.sha256)).decode()
    response["Repr-Digest"] = f"sha-256=:{digest}:"
    response["Cache-Control"] = "public, max-age=3600" if document.is_public else "private, no-store"
    return response
