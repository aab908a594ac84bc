"""Makes every function from its folder: what ``function.yaml`` says it reads, writes and sends is what its role may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from constructs import Construct

from infra.constructs.channels import Channels
from infra.constructs.contacts_table import ContactsTable
from infra.constructs.deferred_messages import DeferredMessages
from infra.constructs.destinations import Destinations
from infra.constructs.event_archive import EventArchive
from infra.constructs.event_bus import EventBus
from infra.constructs.events_queue import EventsQueue
from infra.constructs.files import Files
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.person_syncs import PersonSyncs
from infra.constructs.schedules import Schedules
from infra.constructs.secrets import Secrets
from infra.constructs.undelivered import Undelivered
from infra.constructs.webhook_api import WebhookApi
from waypost.authoring.functions import HANDS_OUT_AGAIN, WITHOUT_WAITING, Caller, FunctionFolder, FunctionManifest
from waypost.authoring.problems import unknown
from waypost.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What functions touch, and what calls them."""

    contacts: ContactsTable
    files: Files
    secrets: Secrets
    api: WebhookApi
    events: EventsQueue
    bus: EventBus
    schedules: Schedules
    machines: JourneyMachines
    channels: Channels
    archive: EventArchive
    destinations: Destinations
    undelivered: Undelivered
    deferred: DeferredMessages
    person_syncs: PersonSyncs


@dataclass(frozen=True, slots=True, kw_only=True)
class Functions:
    """Adds functions to a stack; each may do what its ``function.yaml`` says and nothing else."""

    platform: Platform
    around: Surroundings

    def add(self, scope: Construct, function: FunctionFolder) -> Hop:
        """Make the function, its role, its alarms and what calls it."""
        manifest = function.manifest
        hop = Hop(scope, function, platform=self.platform, settings=self._settings(function))
        self._let_read(hop, manifest)
        self._let_write(hop, manifest)
        self._let_send(hop, manifest)
        self._let_queue(hop, manifest)
        if manifest.schedules:
            self.around.schedules.open_to(hop, *manifest.schedules)
        if manifest.journeys:
            self.around.machines.open_to(hop, *manifest.journeys)
        if manifest.operations:
            self.around.machines.open_to(hop, *manifest.operations)
        if HANDS_OUT_AGAIN.intersection(manifest.called_by):
            hop.alarm_on_errors(self.platform.alarms)
        for metric, because in manifest.alarms.items():
            hop.alarm_on_count(metric, platform=self.platform, because=because)
        if WITHOUT_WAITING.intersection(manifest.called_by):
            self.around.undelivered.keep_failures_of(hop)
        for caller in manifest.called_by:
            self._connect(caller, hop, manifest)
        return hop

    def _settings(self, function: FunctionFolder) -> dict[str, str]:
        """The fields of ``Settings`` that come with what the function touches, and those it asks for beside."""
        given = {**self._known(), **self.around.channels.settings}
        wanted = [*_implied(function.manifest), *function.manifest.settings]
        if "channels" in function.manifest.sends:
            wanted += self.around.channels.settings
        for asked in function.manifest.asks:
            wanted += self.around.channels.settings_to_ask(asked)
        for name in wanted:
            if name not in given:
                reason = unknown(name, given, "no function is given the setting")
                raise InvalidInput(f"functions/{function.name}/function.yaml: settings", reason)
        return {name: given[name] for name in sorted(wanted)}

    def _known(self) -> Mapping[str, str]:
        around, schedules = self.around, self.around.schedules
        return {
            "contacts_table": around.contacts.name,
            "files_bucket": around.files.name,
            "events_queue_url": around.events.queue.queue_url,
            "events_dead_letters_url": around.events.dead_letters.queue_url,
            "notices_url": around.channels.notices_url,
            "person_syncs_url": around.person_syncs.queue.queue_url,
            "rejected_items_url": around.events.rejected_items.queue_url,
            "event_bus": around.bus.name,
            "destination_queues": around.destinations.queues,
            "destination_secrets": around.destinations.secrets,
            "schedule_group": schedules.group,
            "scheduler_role_arn": schedules.role_arn,
            "schedule_dead_letters_arn": schedules.dead_letters_arn,
            "resume_journey_arn": schedules.resume_journey_arn,
            "deferred_messages_arn": around.deferred.queue.queue_arn,
            "state_machine_prefix": around.machines.prefix,
            "webhook_secrets": around.secrets.webhooks,
            "link_secret": around.secrets.links,
            "api_url": around.api.public_url,
            "rates": around.channels.rates,
        }

    def _let_read(self, hop: Hop, manifest: FunctionManifest) -> None:
        around, reads = self.around, manifest.reads
        if reads.contacts:
            around.contacts.open_to(hop, *reads.contacts, keys=reads.keys)
        if reads.due:
            around.contacts.due_open_to(hop, *reads.due)
        if reads.profiles:
            around.contacts.profiles_open_to(hop, *reads.profiles)
        if reads.files:
            around.files.readable_by(hop, *reads.files)
        for secret in reads.secrets:
            match secret:
                case "webhooks" | "links":
                    around.secrets.readable_by(hop, secret)
                case "channels":
                    around.channels.secrets_readable_by(hop)
                case "destinations":
                    around.destinations.secrets_readable_by(hop)
                case _:
                    assert_never(secret)

    def _let_write(self, hop: Hop, manifest: FunctionManifest) -> None:
        around, writes = self.around, manifest.writes
        if writes.contacts:
            around.contacts.open_to(hop, *writes.contacts, keys=writes.keys)
        if writes.files:
            around.files.writable_by(hop, *writes.files)
        if writes.uploads:
            around.files.uploadable_by(hop, *writes.uploads)
        if writes.tagged_files:
            around.files.taggable_by(hop, *writes.tagged_files)

    def _let_send(self, hop: Hop, manifest: FunctionManifest) -> None:
        around = self.around
        for target in manifest.sends:
            match target:
                case "channels":
                    around.channels.usable_by(hop, platform=self.platform)
                case "event_bus":
                    around.bus.writable_by(hop)
                case _:
                    assert_never(target)
        for asked in manifest.asks:
            around.channels.askable_by(hop, asked)

    def _let_queue(self, hop: Hop, manifest: FunctionManifest) -> None:
        around = self.around
        for queue in manifest.queues:
            match queue:
                case "events":
                    around.events.writable_by(hop)
                case "events_dead_letters":
                    around.events.dead_letters_writable_by(hop)
                case "notices":
                    around.channels.notices_writable_by(hop)
                case "person_syncs":
                    around.person_syncs.writable_by(hop)
                case "rejected_items":
                    around.events.rejected_items_writable_by(hop)
                case "destinations":
                    around.destinations.queues_open_to(hop)
                case _:
                    assert_never(queue)

    def _connect(self, caller: Caller, hop: Hop, manifest: FunctionManifest) -> None:
        around = self.around
        match caller:
            case "api":
                per_second = getattr(self.platform.deployment, manifest.throttle)
                around.api.route(hop, *manifest.routes, per_second=per_second)
            case "events_queue":
                around.events.read_by(hop)
            case "contacts_stream":
                around.archive.written_by(hop)
            case "destination_queues":
                around.destinations.read_by(hop)
            case "every_hour":
                around.schedules.call_every_hour(hop)
            case "deferred_messages":
                around.deferred.sent_by(hop)
            case "person_syncs":
                around.person_syncs.asked_by(hop)
            case "schedules":
                pass  # their role may call every function that says so: see the construct Schedules
            case "channel_notices":
                around.channels.tell_notices_to(hop, undelivered=around.undelivered, alarms=self.platform.alarms)
            case _:
                assert_never(caller)


def _implied(manifest: FunctionManifest) -> list[str]:
    """The settings without which what the function may touch cannot be found."""
    reads, writes = manifest.reads, manifest.writes
    needed = {
        "contacts_table": reads.contacts or reads.due or reads.profiles or writes.contacts,
        "files_bucket": reads.files or writes.files or writes.uploads or writes.tagged_files,
        "webhook_secrets": "webhooks" in reads.secrets,
        "link_secret": "links" in reads.secrets,
        "destination_secrets": "destinations" in reads.secrets,
        "events_queue_url": "events" in manifest.queues,
        "events_dead_letters_url": "events_dead_letters" in manifest.queues,
        "notices_url": "notices" in manifest.queues,
        "person_syncs_url": "person_syncs" in manifest.queues,
        "rejected_items_url": "rejected_items" in manifest.queues,
        "destination_queues": "destinations" in manifest.queues,
        "event_bus": "event_bus" in manifest.sends,
        "schedule_group": manifest.schedules,
        "scheduler_role_arn": "CreateSchedule" in manifest.schedules,
        "schedule_dead_letters_arn": "CreateSchedule" in manifest.schedules,
        "state_machine_prefix": "StartExecution" in manifest.journeys,
    }
    return [name for name, is_needed in needed.items() if is_needed]
