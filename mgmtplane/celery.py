"""The Celery application. Short and long jobs have separate queues: no short one waits for a long one."""

import os

from celery import Celery
from celery.signals import setup_logging
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mgmtplane.settings")

SHORT, LONG = "short", "long"
TRANSPORT_ALIASES["filesystem"] = "mgmtplane.messages:Transport"

app = Celery("mgmtplane")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = [Queue(name, Exchange(name), routing_key=name) for name in (SHORT, LONG)]
app.conf.task_default_exchange = app.conf.task_default_routing_key = SHORT
app.autodiscover_tasks()


class BrokerAway(Exception):
    """The broker does not answer, or not to us; the transport's own words, without the URL."""


class BrokerWrong(Exception):
    """What CELERY_BROKER_URL says is no broker that there could be; without the URL."""


def declare_queues() -> None:
    """Make the queues known to the broker before the first process needs them. Raises BrokerAway and BrokerWrong."""
    try:
        _declare()
    except (ValueError, TypeError) as error:  # a transport's words for a part of the URL that it cannot read
        raise BrokerWrong(str(error)) from error


def _declare() -> None:
    with app.connection_for_write() as connection:
        try:
            with connection.channel() as channel:
                for queue in app.amqp.queues.values():
                    queue(channel).declare()
        except (OperationalError, *connection.connection_errors, *connection.channel_errors) as error:
            raise BrokerAway(str(error) or type(error).__name__) from error


@setup_logging.connect
def _keep_logging(**_: object) -> None:
    """Django's LOGGING stands: with a receiver here, Celery configures nothing of its own."""
