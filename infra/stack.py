"""The Waypost stack, in the order in which the data flows. Made by the app."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.archive_events import ArchiveEvents
from infra.constructs.build_audience_slice import BuildAudienceSlice
from infra.constructs.channels import Channels
from infra.constructs.close_enrolment import CloseEnrolment
from infra.constructs.contacts_table import ContactsTable
from infra.constructs.count_purchases import CountPurchases
from infra.constructs.deliver_event import DeliverEvent
from infra.constructs.evaluate_segment import EvaluateSegment
from infra.constructs.event_bus import EventBus
from infra.constructs.events_queue import EventsQueue
from infra.constructs.export_slice import ExportSlice
from infra.constructs.files import Files
from infra.constructs.finish_export import FinishExport
from infra.constructs.finish_import import FinishImport
from infra.constructs.gather_audience import GatherAudience
from infra.constructs.hop import Hop, Platform
from infra.constructs.import_part import ImportPart
from infra.constructs.inspect_import import InspectImport
from infra.constructs.journeys import JourneyMachines
from infra.constructs.layers import Layers
from infra.constructs.merge_contacts import MergeContacts
from infra.constructs.operations import OperationMachines
from infra.constructs.pause_journey import PauseJourney
from infra.constructs.plan_audience import PlanAudience
from infra.constructs.plan_export import PlanExport
from infra.constructs.plan_refresh import PlanRefresh
from infra.constructs.preview_segment import PreviewSegment
from infra.constructs.rank_customers import RankCustomers
from infra.constructs.receive_webhook import ReceiveWebhook
from infra.constructs.reconcile_import import ReconcileImport
from infra.constructs.record_delivery import RecordDelivery
from infra.constructs.refresh_contacts import RefreshContacts
from infra.constructs.resume_journey import ResumeJourney
from infra.constructs.route_events import RouteEvents
from infra.constructs.schedules import Schedules
from infra.constructs.secrets import Secrets
from infra.constructs.send_message import SendMessage
from infra.constructs.split_import import SplitImport
from infra.constructs.sweep_journeys import SweepJourneys
from infra.constructs.undelivered import Undelivered
from infra.constructs.unsubscribe_contact import UnsubscribeContact
from infra.constructs.update_contact import UpdateContact
from infra.constructs.webhook_api import WebhookApi
from infra.deployment import Deployment
from waypost.authoring.discovery import discover
from waypost.events.retention import Retention


class WaypostStack(Stack):
    """One stage of Waypost. Raises InvalidInput when a folder under functions/ or statemachines/ is wrong."""

    def __init__(self, scope: Construct, *, deployment: Deployment) -> None:
        super().__init__(
            scope,
            deployment.name,
            description=f"Waypost, marketing automation, stage {deployment.stage}",
            termination_protection=deployment.is_production,
            tags={"application": "waypost", "stage": deployment.stage},
        )
        library = discover(
            deployment.content / "statemachines", shipped_operations=deployment.root / "statemachines" / "operations"
        )

        # what every hop stands on
        alarms = Alarms(self, email=deployment.alarm_email)
        platform = Platform(deployment=deployment, layers=Layers(self, deployment=deployment), alarms=alarms)
        contacts = ContactsTable(self, deployment=deployment)
        files = Files(self, deployment=deployment)
        secrets = Secrets(self, deployment=deployment)
        undelivered = Undelivered(self, deployment=deployment, alarms=alarms)

        # external systems → webhook → queue
        api = WebhookApi(self, platform=platform)
        events = EventsQueue(self, deployment=deployment, alarms=alarms)
        ReceiveWebhook(self, platform=platform, api=api, contacts=contacts, events=events, secrets=secrets)

        # queue → contacts, journeys, event bus
        bus = EventBus(self, deployment=deployment)
        schedules = Schedules(self, deployment=deployment, undelivered=undelivered)
        machines = JourneyMachines(self, platform=platform)
        RouteEvents(
            self,
            platform=platform,
            events=events,
            contacts=contacts,
            machines=machines,
            schedules=schedules,
            bus=bus,
        )

        # stored events → archive
        ArchiveEvents(
            self,
            platform=platform,
            contacts=contacts,
            files=files,
            retention=Retention.from_dict(library.sections.get("retention", {})),
        )

        # event bus → other systems
        DeliverEvent(
            self,
            platform=platform,
            contacts=contacts,
            bus=bus,
            destinations=library.sections.get("destinations", {}),
        )

        # a journey waits, and goes on
        pause = PauseJourney(self, platform=platform, contacts=contacts, schedules=schedules, machines=machines)
        for waking in (ResumeJourney, SweepJourneys):
            waking(
                self,
                platform=platform,
                contacts=contacts,
                schedules=schedules,
                machines=machines,
                undelivered=undelivered,
            )

        # a journey acts
        channels = Channels(self, deployment=deployment)
        send = SendMessage(
            self,
            platform=platform,
            contacts=contacts,
            schedules=schedules,
            channels=channels,
            secrets=secrets,
            api=api,
            undelivered=undelivered,
        )
        update = UpdateContact(self, platform=platform, contacts=contacts, events=events)
        evaluate = EvaluateSegment(self, platform=platform, contacts=contacts)
        tasks = {"PauseJourney": pause, "SendMessage": send, "UpdateContact": update, "EvaluateSegment": evaluate}
        for journey in library.journeys:
            machines.add(journey, tasks=tasks)

        # what a marketer or the clock starts
        operations = OperationMachines(
            self,
            platform=platform,
            files=files,
            schedules=schedules,
            zone=library.sending.default_time_zone,
        )
        works: dict[str, Hop] = {
            "InspectImport": InspectImport(self, platform=platform, files=files),
            "SplitImport": SplitImport(self, platform=platform, files=files),
            "ImportPart": ImportPart(self, platform=platform, contacts=contacts, events=events, files=files),
            "ReconcileImport": ReconcileImport(self, platform=platform, contacts=contacts, events=events, files=files),
            "FinishImport": FinishImport(self, platform=platform, files=files),
            "PlanExport": PlanExport(self, platform=platform, contacts=contacts, files=files),
            "ExportSlice": ExportSlice(self, platform=platform, contacts=contacts, files=files),
            "FinishExport": FinishExport(self, platform=platform, files=files),
            "PlanAudience": PlanAudience(self, platform=platform, contacts=contacts, files=files),
            "BuildAudienceSlice": BuildAudienceSlice(self, platform=platform, contacts=contacts, files=files),
            "GatherAudience": GatherAudience(self, platform=platform, files=files),
            "PreviewSegment": PreviewSegment(self, platform=platform, contacts=contacts, files=files),
            "PlanRefresh": PlanRefresh(self, platform=platform, contacts=contacts),
            "CountPurchases": CountPurchases(self, platform=platform, contacts=contacts, files=files),
            "RankCustomers": RankCustomers(self, platform=platform, files=files),
            "RefreshContacts": RefreshContacts(self, platform=platform, contacts=contacts, events=events),
            "MergeContacts": MergeContacts(self, platform=platform, contacts=contacts, events=events),
        }
        for operation in library.operations:
            operations.add(operation, tasks=works)

        # what happened comes back as events
        CloseEnrolment(
            self,
            platform=platform,
            contacts=contacts,
            events=events,
            machines=machines,
            operations=operations,
            schedules=schedules,
            undelivered=undelivered,
        )
        UnsubscribeContact(self, platform=platform, api=api, events=events, secrets=secrets)
        RecordDelivery(self, platform=platform, channels=channels, events=events, undelivered=undelivered)

        for name, value in {
            "ApiUrl": api.url,
            "ContactsTableName": contacts.name,
            "EventsQueueUrl": events.queue.queue_url,
            "EventsDeadLettersUrl": events.dead_letters.queue_url,
            "UndeliveredUrl": undelivered.queue.queue_url,
            "EventBusName": bus.name,
            "ScheduleGroup": schedules.group,
            "WebhookSecret": secrets.webhooks,
            "LinkSecret": secrets.links,
            "EmailIdentity": deployment.email_identity,
            "EmailConfigurationSet": channels.email_configuration_set,
            "StateMachines": self.to_json_string(machines.arns),
            "OperationMachines": self.to_json_string(operations.arns),
            "FilesBucket": files.name,
        }.items():
            CfnOutput(self, name, value=value)
