"""Addresses of the reading endpoints."""

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from inventory.api.applied import AppliedView
from inventory.api.health import Alive, Ready
from inventory.api.metrics import Metrics
from inventory.api.reading import ExportView, InventoryView

# Nothing here reads a form; without the exemption a POST would be told about CSRF and not about its method.
urlpatterns = [
    path("inventory/<str:site>/", csrf_exempt(InventoryView.as_view()), name="inventory"),
    path("export/<str:site>/<str:format>", csrf_exempt(ExportView.as_view()), name="export"),
    path("export/<str:site>/<str:format>/applied", csrf_exempt(AppliedView.as_view()), name="export-applied"),
    path("healthz", csrf_exempt(Alive.as_view()), name="healthz"),
    path("readyz", csrf_exempt(Ready.as_view()), name="readyz"),
    path("metrics", csrf_exempt(Metrics.as_view()), name="metrics"),
]
