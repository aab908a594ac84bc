"""Where alarms go, and the alarm that all functions share. Used by every construct that can fail."""

from aws_cdk import (
    Annotations,
    Aws,
    Duration,
    RemovalPolicy,
    aws_cloudwatch,
    aws_cloudwatch_actions,
    aws_iam,
    aws_kms,
    aws_sns,
)
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.deployment import Deployment

FIVE_MINUTES = Duration.minutes(5)
_UNHEARD = (
    "alarm_email is not set: CloudWatch shows the alarms of this stage, and nobody is sent one; "
    "give an address with -c alarm_email=…"
)


class Alarms(Construct):
    """Watches metrics; mails the deployment's ``alarm_email`` when one is over its threshold, or only shows it in CloudWatch."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Alarms")
        self._topic = self._topic_to(deployment.alarm_email) if deployment.alarm_email else None
        if not self._topic:
            Annotations.of(self).add_warning_v2("waypost:alarm_email", _UNHEARD)
        # Of all functions of the account and region, as is the limit that throttles them: one metric instead of one each.
        # Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html, "Across All Functions"
        self.watch(
            self,
            "Throttles",
            lambda_.Function.metric_all_throttles(period=FIVE_MINUTES),
            because="A function was throttled: the concurrent executions of this account and region are used up",
        )

    def watch(
        self, scope: Construct, name: str, metric: aws_cloudwatch.IMetric, *, because: str, over: float = 0
    ) -> None:
        """Raise an alarm in ``scope`` when ``metric`` is over ``over``; ``because`` tells the reader what it means."""
        alarm = aws_cloudwatch.Alarm(
            scope,
            f"{name}Alarm",
            metric=metric,
            alarm_description=because,
            threshold=over,
            evaluation_periods=1,
            comparison_operator=aws_cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if self._topic:
            alarm.add_alarm_action(aws_cloudwatch_actions.SnsAction(self._topic))

    def _topic_to(self, email: str) -> aws_sns.Topic:
        key = aws_kms.Key(
            self,
            "Key",
            description="Encrypts the alarms on their way; the key of SNS itself cannot be used by CloudWatch",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        cloudwatch = aws_iam.ServicePrincipal("cloudwatch.amazonaws.com")
        key.grant_encrypt_decrypt(cloudwatch)
        topic = aws_sns.Topic(self, "Topic", display_name="Waypost alarms", master_key=key, enforce_ssl=True)
        # a policy of its own (the demand for TLS) replaces the one by which AWS lets an account's alarms publish
        topic.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[cloudwatch],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        topic.add_subscription(subscriptions.EmailSubscription(email))
        return topic
