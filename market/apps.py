from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MarketConfig(AppConfig):
    name = "market"
    verbose_name = _("Market")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from market import checks  # noqa: F401  registers the system checks
        from market.catalogues import compile_catalogues

        compile_catalogues()  # .mo files are not kept in git
