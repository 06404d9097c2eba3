from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProductsConfig(AppConfig):
    name = "products"
    verbose_name = _("Products and their public record")
    default_auto_field = "django.db.models.BigAutoField"
