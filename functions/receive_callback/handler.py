"""Take in what providers of channels post. Called by the HTTP API: WeChat, WeCom, Alibaba Cloud."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.notice_queue import SqsNoticeQueue
from waypost.aws.secrets import SecretsManagerSecret
from waypost.channels.callback_contract import CallbackRequest
from waypost.channels.registry import callback_channels, callback_reader
from waypost.clock import real_now
from waypost.intake.http_request import Request
from waypost.intake.receive_callback import ReceiveCallback
from waypost.intake.request_outcome import Refused
from waypost.settings import Settings, channel_settings

logger = function_log("receive_callback")
metrics = Metrics(service="receive_callback")
app = APIGatewayHttpResolver()


@cache
def receive_callback() -> ReceiveCallback:
    """Wire ReceiveCallback to its queue and secrets; once per process."""
    ids = {channel: secret for channel in callback_channels() if (secret := channel_settings(channel).get("secret"))}
    return ReceiveCallback(
        reader=callback_reader,
        secrets={name: SecretsManagerSecret(client("secretsmanager"), secret_id) for name, secret_id in ids.items()},
        queue=SqsNoticeQueue(client("sqs"), Settings.load().notices_url),
        real_clock=real_now,
    )


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0)."""
    return app.resolve(event, context)


@app.route("/v1/callbacks/<channel>/<account>", method=["GET", "POST"])
def callback(channel: str, account: str) -> Response[str]:
    """A callback of one channel's provider, for one account."""
    event = app.current_event
    request = Request.from_api_gateway(event.raw_event)
    reply = receive_callback().receive(
        channel,
        CallbackRequest(
            account=account,
            method=event.http_method,
            query=request.query,
            body=b"" if isinstance(request.content, Refused) else request.content,
        ),
    )
    if reply.refused:
        logger.warning("callback refused", extra={"reason": reply.refused, "status": int(reply.status)})
        metrics.add_metric(name="CallbacksRefused", unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="CallbackNotices", unit=MetricUnit.Count, value=reply.kept)
    metrics.add_metric(name="CallbackItemsUnreadable", unit=MetricUnit.Count, value=reply.unreadable)
    return Response(reply.status, reply.content_type, reply.text)
