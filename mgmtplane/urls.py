"""All addresses of the project."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("inventory.api.v1.urls")),
    path("", include("inventory.urls")),
]

handler500 = "mgmtplane.failing.server_error"
