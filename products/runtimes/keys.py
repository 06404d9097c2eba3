"""Secrets of the runtimes, read from the environment and never from the database.

``GONGSHU_PRODUCT_KEY_<CODE>`` holds a product key as hexadecimal digits (at least 64), or
``GONGSHU_PRODUCT_KEY_<CODE>_FILE`` the path of a file with them; <CODE> is the product's code in upper case with ``_``
for every other character than letters and digits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from products.record.refusals import Refused
from products.runtimes.base import Secrets
from products.runtimes.digests import MIN_KEY_BYTES

if TYPE_CHECKING:
    from products.runtimes.egress import Egress


class ProductKeyMissing(Refused):
    """The environment has no usable key for a product that needs one. Names the variable, never its content."""

    code = "product_key_missing"


def variable_name(product_code: str) -> str:
    return "GONGSHU_PRODUCT_KEY_" + re.sub(r"[^A-Z0-9]", "_", product_code.upper())


def product_key(product_code: str, environ: Mapping[str, str] | None = None) -> bytes:
    """The product's key as bytes (≥ 32). Raises ``ProductKeyMissing``."""
    environ = os.environ if environ is None else environ
    name = variable_name(product_code)
    text = environ.get(name, "")
    path = environ.get(f"{name}_FILE", "")
    if not text and path:
        try:
            text = Path(path).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ProductKeyMissing(
                _("The key file named by %(name)s cannot be read.") % {"name": f"{name}_FILE"}, product=product_code
            ) from error
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < MIN_KEY_BYTES:
        raise ProductKeyMissing(
            _("Set %(name)s (or %(name)s_FILE) to a key of at least 64 hexadecimal digits.") % {"name": name},
            product=product_code,
        )
    return key


def secrets_from(environ: Mapping[str, str], *, link_key: bytes, egress: Egress | None = None) -> Secrets:
    """Secrets for ``host.load``: product keys looked up when a release is loaded, the key that signs delivery links, and
    the way out to operators' own services.
    """
    return Secrets(product_key=lambda code: product_key(code, environ), link_key=link_key, egress=egress)
