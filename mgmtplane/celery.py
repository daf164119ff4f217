"""The Celery application. Short and long jobs travel in separate queues, so that no short one waits for a long one."""

import os

from celery import Celery
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mgmtplane.settings")

SHORT, LONG = "short", "long"

app = Celery("mgmtplane")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in (SHORT, LONG)]
app.conf.task_default_exchange = app.conf.task_default_routing_key = SHORT
app.autodiscover_tasks()
