from django.urls import path

from market.consoles.remote_hosts import views

operator = [
    path("", views.own_hosts, name="remote-hosts"),
    path("<int:pk>/", views.own_host, name="remote-host"),
]
office = [
    path("", views.queue, name="remote-host-requests"),
    path("<int:pk>/", views.request_page, name="remote-host-request"),
    path("<int:pk>/withdraw/", views.withdraw, name="remote-host-withdraw"),
]
