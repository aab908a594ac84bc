"""Take in what providers of channels post, and answer what cannot wait. Called by the HTTP API: WeChat, WeCom, Alibaba Cloud."""

from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from waypost.aws.clients import client
from waypost.aws.function_log import function_log
from waypost.aws.notice_queue import SqsNoticeQueue
from waypost.aws.secrets import SecretsManagerSecret
from waypost.channels.callback_contract import AtOnce, CallbackRequest
from waypost.channels.registry import callback_channels, callback_reader
from waypost.clock import real_now
from waypost.intake.http_request import Request
from waypost.intake.receive_callback import ReceiveCallback
from waypost.intake.request_outcome import Refused
from waypost.sending.request import SendResult
from waypost.settings import Settings, channel_settings

if TYPE_CHECKING:
    from waypost.intake.answer_at_once import AnswerAtOnce
    from waypost.sending.send_message import SendMessage

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
        answer_at_once=answer_at_once,
    )


def answer_at_once(channel: str, wanted: AtOnce) -> SendResult | None:
    """Send what cannot wait for the queue."""
    return answering().answer(channel, wanted)


@cache
def answering() -> "AnswerAtOnce":
    """What answers at once; most callbacks need none of it."""
    from waypost.assembly import assemble  # noqa: PLC0415
    from waypost.aws import wiring  # noqa: PLC0415
    from waypost.intake.declared_replies import load_replies  # noqa: PLC0415
    from waypost.tracking.scenes import load_scenes  # noqa: PLC0415

    return assemble.answer_at_once(wiring, sender=sender, replies=load_replies(), scenes=load_scenes())


@cache
def sender() -> "SendMessage":
    """The sender of the answers."""
    from waypost.aws.deployed_sender import deployed_sender  # noqa: PLC0415
    from waypost.aws.policy_report import policy_report  # noqa: PLC0415

    return deployed_sender(report=policy_report(logger, metrics))


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
    if reply.answered and not reply.answered.is_repeated:
        metrics.add_metric(name=f"Messages{reply.answered.outcome.title()}", unit=MetricUnit.Count, value=1)
    if reply.answered:
        logger.info("answered at once", extra=reply.answered.to_dict())
    if reply.answered and reply.answered.account_refused:
        metrics.add_metric(name="AccountRefusals", unit=MetricUnit.Count, value=1)
    if reply.unanswered:
        logger.error("not answered at once", extra={"reason": reply.unanswered})
    metrics.add_metric(name="CallbacksUnanswered", unit=MetricUnit.Count, value=int(bool(reply.unanswered)))
    metrics.add_metric(name="CallbackNotices", unit=MetricUnit.Count, value=reply.kept)
    metrics.add_metric(name="CallbackItemsUnreadable", unit=MetricUnit.Count, value=reply.unreadable)
    return Response(reply.status, reply.content_type, reply.text)
