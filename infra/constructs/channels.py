"""The ways out: what each ``channels/<name>/infra.py`` needs in the account, and the permission to send."""

from collections.abc import Mapping
from importlib import import_module

from aws_cdk import aws_events
from constructs import Construct

from infra.constructs.hop import Hop
from infra.constructs.undelivered import Undelivered
from infra.deployment import Deployment
from waypost.channels.infra_contract import BuildChannel, ChannelInfra
from waypost.contacts.channels import CHANNELS


class Channels(Construct):
    """The resources of every channel, each under a construct of its channel's name. Raises InvalidInput."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(scope, "Channels")
        self._built: dict[str, ChannelInfra] = {}
        for channel in CHANNELS:
            build: BuildChannel = import_module(f"waypost.channels.{channel}.infra").build
            self._built[channel] = build(Construct(self, channel.title()), name=deployment.name)

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of the providers; ``sms_origination`` is ``origination`` of the channel ``sms``."""
        return {
            f"{channel}_{setting}": value
            for channel, each in self._built.items()
            for setting, value in each.settings.items()
        }

    @property
    def outputs(self) -> Mapping[str, str]:
        """Outputs of the stack."""
        return {name: value for each in self._built.values() for name, value in each.outputs.items()}

    def usable_by(self, hop: Hop) -> None:
        """Let a hop send on every channel."""
        for each in self._built.values():
            for permission in each.permissions:
                hop.allow(*permission.actions, on=permission.on, wildcard=permission.wildcard)

    def tell_notices_to(self, hop: Hop, *, undelivered: Undelivered) -> None:
        """Call the hop with what the providers report about a message."""
        for each in self._built.values():
            for notices in each.notices:
                aws_events.Rule(
                    hop,
                    notices.name,
                    description=notices.description,
                    event_pattern=notices.pattern,
                    targets=[undelivered.rule_target(hop)],
                )
