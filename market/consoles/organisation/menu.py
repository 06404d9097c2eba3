from django.utils.translation import gettext_lazy as _

from market.consoles.menu import Entry

ENTRIES = [
    Entry(_("Profile and certificate"), _("Name, code, state, certificate"), "/console/organisation/"),
    Entry(_("Members"), _("Who acts for the organisation, and invitations"), "/console/organisation/members/"),
]
