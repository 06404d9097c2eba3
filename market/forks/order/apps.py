from oscar.apps.order.apps import OrderConfig as OscarOrderConfig


class OrderConfig(OscarOrderConfig):
    name = "market.forks.order"
