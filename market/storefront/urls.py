from django.urls import path

from market.storefront import account, evidence, sign_up

urlpatterns = [
    path("sign-in/", account.SignInView.as_view(), name="sign-in"),
    path("sign-out/", account.SignOutView.as_view(), name="sign-out"),
    path("language/", account.choose_language, name="language"),
    path("acting-for/", account.choose_organisation, name="choose-organisation"),
    path("sign-up/", sign_up.person, name="sign-up"),
    path("sign-up/organisation/", sign_up.organisation, name="sign-up-organisation"),
    path("sign-up/kind/", sign_up.kind, name="sign-up-kind"),
    path("invitations/<str:token>/", sign_up.invitation, name="invitation"),
    path("evidence/<uuid:pk>/", evidence.download, name="evidence"),
    path("notices/", account.notices, name="notices"),
]
