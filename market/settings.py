"""All settings of Gongshu: one file, environment variables with defaults, bad values explained by `manage.py check`.

| variable | default | meaning |
| --- | --- | --- |
| GONGSHU_ENV | development | development, demo or production |
| SECRET_KEY | made up in .data/ | signs sessions and links; required in production |
| DATABASE_URL | embedded PostgreSQL | postgresql://user:password@host/name |
| ALLOWED_HOSTS | localhost, 127.0.0.1 | comma-separated host names |
| PUBLIC_URL | http://127.0.0.1:8000 | the address that people and payment providers use |
| GONGSHU_DATA | .data | where keys, the embedded cluster and the demo's facts live |
| USAGE_ARCHIVE | .data/archive | where months of usage that left the database are kept, as Parquet files |
| GONGSHU_CLOCK | the real time | an RFC 3339 moment at which the clock starts (not in production) |
| STRIPE_SECRET_KEY | none | pays through Stripe; without it cards need STRIPE_API_BASE |
| STRIPE_WEBHOOK_SECRET | none | checks Stripe's webhooks |
| STRIPE_API_BASE | Stripe's own | another server that speaks Stripe's API (tests, demo) |
| BANK_NAME | a made-up bank | where bank transfers are paid to |
| BANK_ACCOUNT | a made-up account | the account there |
| BANK_CODE | none | the bank's code, where it has one |
| EMAIL_URL | console | smtp://user:password@host:port, or console |
| CALL_LOG | - in production, else nothing | one JSON line an answer of the gateway: - (standard output) or a path |
| LOG_FORMAT | json in production, else line | how logs are written |
| SIGNING_KEY | derived from SECRET_KEY | signs receipts, delivery links and requests to operators' services |
| TRUSTED_PROXIES | 0 | how many proxies in front of the gateway append to X-Forwarded-For |
| GONGSHU_EGRESS_CA_FILE | none | further certificate authorities for operators' services, a PEM file |
| GONGSHU_EGRESS_TEST_NETWORKS | none | networks of operators' services besides the public internet (not in production) |
"""

import os
import secrets
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _
from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *  # noqa: F403
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent
GONGSHU_ENV = os.environ.get("GONGSHU_ENV", "development")
IS_PRODUCTION = GONGSHU_ENV == "production"
DATA_DIR = Path(os.environ.get("GONGSHU_DATA", BASE_DIR / ".data"))
DEBUG = GONGSHU_ENV == "development" and os.environ.get("DEBUG", "") == "1"


def local_secret(name: str) -> str:
    """A secret for development and demo, made once and kept in the data folder."""
    path = DATA_DIR / name
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = os.environ.get("SECRET_KEY") or ("" if IS_PRODUCTION else local_secret("secret_key"))
SIGNING_KEY = os.environ.get("SIGNING_KEY") or SECRET_KEY
PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = [h for h in os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
TRUSTED_PROXIES = int(_count) if (_count := os.environ.get("TRUSTED_PROXIES", "0")).isdecimal() else -1
USAGE_ARCHIVE = Path(os.environ.get("USAGE_ARCHIVE") or DATA_DIR / "archive")
GONGSHU_CLOCK = os.environ.get("GONGSHU_CLOCK", "")
GONGSHU_EGRESS_CA_FILE = os.environ.get("GONGSHU_EGRESS_CA_FILE", "")
GONGSHU_EGRESS_TEST_NETWORKS = os.environ.get("GONGSHU_EGRESS_TEST_NETWORKS", "")

# --- Apps ---------------------------------------------------------------------------------------------------------------------
OSCAR_FORKS = {
    "oscar.apps.partner.apps.PartnerConfig": "market.forks.partner.apps.PartnerConfig",
    "oscar.apps.order.apps.OrderConfig": "market.forks.order.apps.OrderConfig",
    "oscar.apps.checkout.apps.CheckoutConfig": "market.forks.checkout.apps.CheckoutConfig",
}
INSTALLED_APPS = [
    "products",
    "pricing",
    "settlement",
    "market",
    "procrastinate.contrib.django",
    "django_htmx",
    "csp",
    *[OSCAR_FORKS.get(app, app) for app in OSCAR_APPS if app != "django.contrib.admin"],
]
MIGRATION_MODULES = {"partner": "oscar.apps.partner.migrations", "order": "oscar.apps.order.migrations"}
AUTH_USER_MODEL = "products.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
SITE_ID = 1
ROOT_URLCONF = "market.urls"
ASGI_APPLICATION = "market.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "market.storefront.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "oscar.core.context_processors.metadata",
                "market.storefront.context_processors.site",
            ],
            "builtins": ["market.storefront.templatetags.gongshu", "market.storefront.templatetags.disclosure"],
            "libraries": {"costs": "market.consoles.costs.tags", "whatif": "market.consoles.whatif.tags"},
        },
    }
]

# --- Database -----------------------------------------------------------------------------------------------------------------
DATABASE_URL = os.environ.get("DATABASE_URL", "")
DATABASES: dict[str, dict[str, Any]]
if DATABASE_URL:
    _dsn = conninfo_to_dict(DATABASE_URL)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _dsn.pop("dbname", "gongshu"),
            "USER": _dsn.pop("user", ""),
            "PASSWORD": _dsn.pop("password", ""),
            "HOST": _dsn.pop("host", ""),
            "PORT": str(_dsn.pop("port", "")),
            "OPTIONS": dict(_dsn),
        }
    }
else:
    DATABASES = {"default": {"ENGINE": "products.postgres", "NAME": "gongshu", "EMBEDDED_FOLDER": str(DATA_DIR), "OPTIONS": {}}}
if os.environ.get("GONGSHU_SERVER"):  # a serving process keeps its connections; commands and tests open their own
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 2, "max_size": 16, "timeout": 10}

# --- People and sessions --------------------------------------------------------------------------------------------------------
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
if IS_PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'", "https://checkout.stripe.com"],
    }
}
MAX_EVIDENCE_BYTES = 10 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

# --- Language, time, files ------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"

# --- Mail -----------------------------------------------------------------------------------------------------------------------
EMAIL_URL = os.environ.get("EMAIL_URL", "console")
DEFAULT_FROM_EMAIL = OSCAR_FROM_EMAIL = "no-reply@gongshu.example"
if EMAIL_URL == "console":
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
else:
    from urllib.parse import urlsplit

    _mail = urlsplit(EMAIL_URL)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname or "localhost", _mail.port or 25
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.username or "", _mail.password or ""
    EMAIL_USE_TLS = _mail.scheme == "smtps"

# --- Payments -------------------------------------------------------------------------------------------------------------------
STRIPE_SECRET_KEY = os.environ.get("STRIPE_SECRET_KEY", "")
STRIPE_WEBHOOK_SECRET = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
STRIPE_API_BASE = os.environ.get("STRIPE_API_BASE", "")
BANK_ACCOUNT = os.environ.get("BANK_ACCOUNT", "1000 2000 3000 4000")
BANK_NAME = os.environ.get("BANK_NAME", "示例银行（演示账户）")
BANK_CODE = os.environ.get("BANK_CODE", "")
if STRIPE_API_BASE:
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"].append(STRIPE_API_BASE)

# --- Oscar ----------------------------------------------------------------------------------------------------------------------
OSCAR_SHOP_NAME = "公数 Gongshu"
OSCAR_DEFAULT_CURRENCY = "CNY"
OSCAR_HOMEPAGE = "/"
OSCAR_ALLOW_ANON_CHECKOUT = False
OSCAR_ALLOW_ANON_REVIEWS = False
OSCAR_HIDDEN_FEATURES = ["reviews", "wishlists"]
OSCAR_SEND_REGISTRATION_EMAIL = False
OSCAR_EAGER_ALERTS = False
OSCAR_INITIAL_ORDER_STATUS = "pending"
OSCAR_INITIAL_LINE_STATUS = "pending"
OSCAR_ORDER_STATUS_PIPELINE = {
    "pending": ("paid", "cancelled"),
    "paid": ("active", "refunded"),
    "active": ("ended",),
    "cancelled": (),
    "refunded": (),
    "ended": (),
}
OSCAR_REQUIRED_ADDRESS_FIELDS = ()
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}

# --- Logs: one line an event, never a key, a body or a person's data ----------------------------------------------------------
CALL_LOG = os.environ.get("CALL_LOG", "-" if IS_PRODUCTION else "")
LOG_FORMAT = os.environ.get("LOG_FORMAT", "json" if IS_PRODUCTION else "line")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "market.logs.JsonLines"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {"gongshu": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
