"""Every problem that the gateway answers: RFC 9457 documents with a stable ``type``, ``/problems/{code}``."""

from __future__ import annotations

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = "1"

CATALOGUE: dict[str, tuple[int, Promise]] = {
    "key-missing": (401, _("Send your key as Authorization: Bearer gs_live_….")),
    "key-malformed": (401, _("This is not a key of this market, or a character of it is wrong.")),
    "key-unknown": (401, _("This key is not known.")),
    "key-revoked": (401, _("This key was revoked. Use another or issue a new one.")),
    "key-expired": (401, _("This key has expired. Issue a new one.")),
    "invoice-overdue": (402, _("An invoice is overdue. Calls go on as soon as it is paid.")),
    "balance-empty": (402, _("The prepaid balance is used up. Top it up to go on.")),
    "organisation-suspended": (403, _("The organisation is suspended.")),
    "key-scope": (403, _("This key does not cover this. Its owner set what it may do.")),
    "key-network": (403, _("This key is not accepted from this address. Its owner set from which networks it works.")),
    "key-mode": (403, _("This kind of key does not serve here.")),
    "product-not-covered": (403, _("The key is for another product.")),
    "entitlement-suspended": (403, _("The entitlement is suspended.")),
    "entitlement-not-begun": (403, _("The entitlement has not begun yet.")),
    "entitlement-ended": (403, _("The entitlement has ended.")),
    "product-suspended": (403, _("The product is not on offer now.")),
    "authorisation-ended": (403, _("The authorisation under which this product is operated does not hold now.")),
    "scenario-outside": (403, _("The product is no longer offered for the entitlement's scenario.")),
    "purpose-outside": (403, _("The purpose is outside the entitlement's. The refusal is on record.")),
    "consent-missing": (403, _("This product asks for the consent of the person asked about: send it in the header Consent.")),
    "consent-withdrawn": (403, _("The person has withdrawn this consent: nobody may be asked about under it any more.")),
    "price-missing": (403, _("No price of this plan is in force today, so the call cannot be charged lawfully.")),
    "product-unknown": (404, _("There is no product of this code.")),
    "receipt-unknown": (404, _("There is no such receipt, or it is not yours.")),
    "link-unknown": (404, _("This link is not valid. Call the product again for a new one.")),
    "not-found": (404, _("There is nothing at this address.")),
    "method-not-allowed": (405, _("This address does not take this method.")),
    "idempotency-conflict": (409, _("This Idempotency-Key was used for another request.")),
    "idempotency-forgotten": (409, _("This call was served and metered before; its answer is no longer kept.")),
    "receipt-archived": (410, _("The calls of this month are in the archive. Ask the market's operator for the receipt.")),
    "link-expired": (410, _("This link has ended. Call the product again for a new one.")),
    "body-too-large": (413, _("The body is too large.")),
    "not-json": (415, _("Send a JSON body with Content-Type: application/json.")),
    "input-refused": (422, _("The input does not fit this product. It cost nothing.")),
    "query-refused": (422, _("A parameter of the address is not well-formed.")),
    "header-refused": (422, _("A header is not well-formed.")),
    "rate-limit": (429, _("Too many calls in a minute.")),
    "quota-used-up": (429, _("The quota is used up.")),
    "subject-limit": (429, _("The limit of questions about a subject is reached for today.")),
    "emergency-stop": (503, _("Calls are stopped in an emergency until further notice. Nothing is charged meanwhile.")),
    "runtime-busy": (503, _("The product is busy. Nothing was charged.")),
    "runtime-timeout": (503, _("The product took too long. Nothing was charged.")),
    "runtime-failed": (503, _("The product broke on this call. Nothing was charged.")),
    "database-away": (503, _("The database cannot be reached just now. Nothing was charged.")),
    "recording-failed": (503, _("The call could not be metered, so it was not answered. Nothing was charged.")),
    "recording-unknown": (503, _("The database went away while the call was metered. Repeat it with the same Idempotency-Key.")),
}


class Problem(Exception):
    """An answer that is not a success. ``extra`` are members of the document, ``headers`` of the answer."""

    def __init__(self, code: str, detail: str = "", *, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title = CATALOGUE[code]
        self.detail = detail
        self.headers = headers or {}
        if self.status == 503:
            self.headers.setdefault("retry-after", RETRY_SECONDS)
        if self.status == 401:
            self.headers.setdefault("www-authenticate", 'Bearer realm="gongshu"')
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """The document in the language that is active."""
        facts = {"type": f"/problems/{self.code}", "title": str(self.title), "status": self.status}
        if self.detail:
            facts["detail"] = self.detail
        return facts | self.extra
