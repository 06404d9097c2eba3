from django.urls import path

from market.consoles.costs import allocations, filing_views

urlpatterns = [
    path("", filing_views.filings, name="operator-costs"),
    path("template.xlsx", filing_views.template_xlsx, name="operator-cost-template"),
    path("template.csv", filing_views.template_csv, name="operator-cost-template-csv"),
    path("new/", filing_views.upload, name="operator-cost-upload"),
    path("problems.csv", filing_views.problems_csv, name="operator-cost-problems"),
    path("preview/<uuid:pk>/", filing_views.preview, name="operator-cost-preview"),
    path("rules/", allocations.rules, name="operator-cost-rules"),
    path("rules/new/", allocations.new_rule, name="operator-cost-rule-new"),
    path("<int:pk>/", filing_views.filing, name="operator-cost"),
    path("<int:pk>/withdraw/", filing_views.withdraw, name="operator-cost-withdraw"),
    path("<int:pk>/file/", filing_views.file, name="operator-cost-file"),
    path("<int:pk>/ledger.<slug:ending>", filing_views.ledger, name="operator-cost-ledger"),
]
