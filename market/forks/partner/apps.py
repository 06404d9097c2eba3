from oscar.apps.partner.apps import PartnerConfig as OscarPartnerConfig


class PartnerConfig(OscarPartnerConfig):
    name = "market.forks.partner"
