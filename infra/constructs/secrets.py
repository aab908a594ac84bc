"""The two secrets: what external systems sign their webhooks with, and what Waypost signs its links with."""

import json
from typing import Any, Literal

from aws_cdk import aws_secretsmanager
from constructs import Construct

from infra.constructs.acknowledging import acknowledge
from infra.constructs.hop import Hop
from infra.deployment import Deployment

_OWNED_BY_SENDERS = (
    "The values are agreed with each sender, who changes them on its side; several are valid at once while it does"
)
_LINKS_LIVE_LONG = "Links in delivered mail are checked with it for years; a key is added, and old ones stay valid"


class Secrets(Construct):
    """Each secret is made with one random key at the first deployment; the operator adds and replaces keys.

    ``webhooks`` is ``{"write_keys": [...], "server_keys": [...], "sources": {"shop": ["whsec_..."]}}``, ``links`` is ``{"link_keys": [...]}``; a
    single text may stand for a list.
    """

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Secrets")
        self._deployment = deployment
        self._webhooks = self._secret(
            "webhooks",
            purpose="Write keys and server keys of the tracking API and signing secrets of webhook sources",
            template={"sources": {}},
            random_key="write_keys",
            not_rotated_because=_OWNED_BY_SENDERS,
        )
        self._links = self._secret(
            "links",
            purpose="Signs the unsubscribe links",
            template={},
            random_key="link_keys",
            not_rotated_because=_LINKS_LIVE_LONG,
        )
        self.webhooks = self._webhooks.secret_arn
        self.links = self._links.secret_arn

    def readable_by(self, hop: Hop, secret: Literal["webhooks", "links"]) -> None:
        """Let a hop check who calls, or sign links and check them."""
        hop.allow("secretsmanager:GetSecretValue", on={"webhooks": self.webhooks, "links": self.links}[secret])

    def _secret(
        self, name: str, *, purpose: str, template: dict[str, Any], random_key: str, not_rotated_because: str
    ) -> aws_secretsmanager.Secret:
        secret = aws_secretsmanager.Secret(
            self,
            name.title(),
            secret_name=f"waypost/{self._deployment.stage}/{name}",
            description=purpose,
            generate_secret_string=aws_secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps(template),
                generate_string_key=random_key,
                password_length=48,
                exclude_punctuation=True,
            ),
            removal_policy=self._deployment.removal_policy,
        )
        acknowledge(secret, "AwsSolutions-SMG4", because=not_rotated_because)
        return secret
