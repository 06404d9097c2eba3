from django.urls import path

from market.consoles.buyer import invoices, views

urlpatterns = [
    path("", views.entitlements, name="buyer"),
    path("entitlements/<str:code>/", views.entitlement, name="buyer-entitlement"),
    path("entitlements/<str:code>/keys/", views.issue_key, name="buyer-key-issue"),
    path("keys/", views.sandbox_keys, name="buyer-keys"),
    path("keys/issue/", views.issue_sandbox_key, name="buyer-sandbox-key-issue"),
    path("keys/<int:pk>/revoke/", views.revoke_key, name="buyer-key-revoke"),
    path("orders/", views.orders, name="buyer-orders"),
    path("orders/<str:number>/", views.order, name="buyer-order"),
    path("invoices/", invoices.invoices, name="buyer-invoices"),
    path("invoices/<str:number>.csv", invoices.invoice_csv, name="buyer-invoice-csv"),
    path("invoices/<str:number>.json", invoices.invoice_json, name="buyer-invoice-json"),
    path("invoices/<str:number>/", invoices.invoice, name="buyer-invoice"),
    path("invoices/<str:number>/pay/", invoices.pay, name="buyer-invoice-pay"),
    path("receipts/", views.receipts, name="buyer-receipts"),
    path("receipts/<uuid:identifier>.json", views.receipt_file, name="buyer-receipt-file"),
]
