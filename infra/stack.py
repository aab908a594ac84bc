"""The Waypost stack, in the order in which the data flows. Made by the app."""

from aws_cdk import Annotations, CfnOutput, Stack
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.channels import Channels
from infra.constructs.contacts_table import ContactsTable
from infra.constructs.deferred_messages import DeferredMessages
from infra.constructs.destinations import Destinations
from infra.constructs.egress import Egress
from infra.constructs.event_archive import EventArchive
from infra.constructs.event_bus import EventBus
from infra.constructs.events_queue import EventsQueue
from infra.constructs.files import Files
from infra.constructs.functions import Functions, Surroundings
from infra.constructs.hop import Hop, Platform
from infra.constructs.journeys import JourneyMachines
from infra.constructs.layers import Layers
from infra.constructs.operations import OperationMachines
from infra.constructs.person_syncs import PersonSyncs
from infra.constructs.schedules import CALLED_BY_SCHEDULES, Schedules
from infra.constructs.secrets import Secrets
from infra.constructs.traces import Traces
from infra.constructs.undelivered import Undelivered
from infra.constructs.webhook_api import WebhookApi
from infra.deployment import Deployment
from infra.partition import refuse_unsendable
from infra.provider_reviews import provider_warnings
from waypost.authoring.discovery import discover
from waypost.authoring.functions import discover_functions
from waypost.authoring.listening import listening
from waypost.authoring.workdays import missing_years
from waypost.clock import real_now
from waypost.events.retention import Retention


class WaypostStack(Stack):
    """One stage of Waypost. Raises InvalidInput when a folder under functions/ or statemachines/ is wrong."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(
            scope,
            deployment.name,
            description=f"Waypost, marketing automation, stage {deployment.stage}",
            termination_protection=deployment.is_protected,
            tags={"application": "waypost", "stage": deployment.stage},
        )
        function_folders = deployment.root / "functions"
        library = discover(
            deployment.content / "statemachines",
            functions=function_folders,
            shipped_operations=deployment.root / "statemachines" / "operations",
        )
        refuse_unsendable(library, partition=deployment.partition, context=self.node.try_get_context)
        for warning in provider_warnings(library, context=self.node.try_get_context):
            Annotations.of(self).add_warning_v2("waypost:messages", warning)
        for warning in missing_years(library.sections.get("workdays", {}), real_now().date()):
            Annotations.of(self).add_warning_v2("waypost:workdays", warning)
        folders = discover_functions(function_folders)

        # what every hop stands on
        alarms = Alarms(self, deployment=deployment)
        Traces(self, deployment=deployment)
        platform = Platform(
            deployment=deployment,
            layers=Layers(self, deployment=deployment),
            alarms=alarms,
            egress=Egress(self, deployment=deployment) if deployment.fixed_ip else None,
        )
        contacts = ContactsTable(self, deployment=deployment)
        contacts.watched_by(alarms)
        files = Files(self, deployment=deployment)
        secrets = Secrets(self, deployment=deployment)
        undelivered = Undelivered(self, deployment=deployment, alarms=alarms)

        # external systems → webhook → queue → event bus → archive, other systems
        api = WebhookApi(self, platform=platform)
        events = EventsQueue(self, deployment=deployment, alarms=alarms)
        bus = EventBus(self, deployment=deployment)
        archive = EventArchive(
            self,
            platform=platform,
            contacts=contacts,
            files=files,
            retention=Retention.from_dict(library.sections.get("retention", {})),
        )
        destinations = Destinations(self, platform=platform, bus=bus, declared=library.sections.get("destinations", {}))

        # journeys wait and act; operations are what a marketer or the clock starts
        deferred = DeferredMessages(self, deployment=deployment, undelivered=undelivered, alarms=alarms)
        person_syncs = PersonSyncs(self, deployment=deployment, undelivered=undelivered, alarms=alarms)
        schedules = Schedules(
            self,
            deployment=deployment,
            undelivered=undelivered,
            deferred=deferred,
            called=[name for name, each in folders.items() if CALLED_BY_SCHEDULES & {*each.manifest.called_by}],
        )
        channels = Channels(
            self,
            deployment=deployment,
            settled=listening(library.journeys, library.sections)["settled"],
            undelivered=undelivered,
        )
        channels.watched_by(alarms)
        machines = JourneyMachines(self, platform=platform)
        operations = OperationMachines(
            self, platform=platform, files=files, schedules=schedules, zone=library.sending.default_time_zone
        )

        functions = Functions(
            platform=platform,
            around=Surroundings(
                contacts=contacts,
                files=files,
                secrets=secrets,
                api=api,
                events=events,
                bus=bus,
                schedules=schedules,
                machines=machines,
                channels=channels,
                archive=archive,
                destinations=destinations,
                undelivered=undelivered,
                deferred=deferred,
                person_syncs=person_syncs,
            ),
        )
        tasks: dict[str | None, dict[str, Hop]] = {"hops": {}, "journeys": {}, "operations": {}, None: {}}
        for folder in folders.values():
            scope = operations if folder.manifest.task == "operations" else self
            tasks[folder.manifest.task][folder.placeholder] = functions.add(scope, folder)
        for journey in library.journeys:
            machines.add(journey, tasks=tasks["journeys"] | tasks["hops"])
        for operation in library.operations:
            operations.add(operation, tasks=tasks["operations"])

        for name, value in {
            "ApiUrl": api.url,
            "ContactsTableName": contacts.name,
            "EventsQueueUrl": events.queue.queue_url,
            "EventsDeadLettersUrl": events.dead_letters.queue_url,
            "RejectedItemsUrl": events.rejected_items.queue_url,
            "UndeliveredUrl": undelivered.queue.queue_url,
            "EventBusName": bus.name,
            "ScheduleGroup": schedules.group,
            "WebhookSecret": secrets.webhooks,
            "LinkSecret": secrets.links,
            **api.outputs,
            **channels.outputs,
            "StateMachinePrefix": machines.prefix,
            "OperationNames": ",".join(each.name for each in library.operations),
            "FilesBucket": files.name,
        }.items():
            CfnOutput(self, name, value=value)
