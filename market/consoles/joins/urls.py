from django.urls import path

from market.consoles.joins import reviews, rules

buyer = [
    path("", reviews.own_reviews, name="buyer-joins"),
    path("new/", reviews.new, name="buyer-join-new"),
    path("<int:pk>/", reviews.own_review, name="buyer-join"),
]
office = [
    path("", reviews.queue, name="join-reviews"),
    path("<int:pk>/", reviews.review, name="join-review"),
    path("rules/", rules.rules, name="join-rules"),
    path("rules/new/", rules.new, name="join-rule-new"),
    path("rules/<int:pk>/end/", rules.end, name="join-rule-end"),
    path("rules/proposals/<int:pk>/", rules.proposal, name="join-proposal"),
    path("rules/proposals/<int:pk>/<slug:step>/", rules.take_step, name="join-proposal-step"),
]
