from django.urls import path

from market.storefront import account

urlpatterns = [
    path("sign-in/", account.SignInView.as_view(), name="sign-in"),
    path("sign-out/", account.SignOutView.as_view(), name="sign-out"),
    path("language/", account.choose_language, name="language"),
    path("acting-for/", account.choose_organisation, name="choose-organisation"),
    path("notices/", account.notices, name="notices"),
]
