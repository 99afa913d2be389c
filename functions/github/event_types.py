"""The event types of Azure's events in workflows, with the names that the function of the Azure template used."""

from typing import Final

# The sources that it accepted: services, or resources of a service.
SOURCES: Final = frozenset(
    {
        "AppConfiguration",
        "Web/sites",
        "Storage",
        "ContainerRegistry",
        "EventHub",
        "Devices",
        "KeyVault",
        "MachineLearningServices",
        "Maps",
        "Media",
        "Resources",
        "ServiceBus",
        "SignalRService",
    }
)


def event_type_of(azure_type: str) -> str | None:
    """Return the event type for an Event Grid event type; none for one of another service.

    `Microsoft.MachineLearningServices.RunCompleted` is `machinelearningservices-runcompleted`, and
    `Microsoft.Web/sites.AppUpdated.Stopped` is `web/sites-appupdated-stopped`.
    """
    publisher, _, rest = azure_type.partition(".")
    source, *names = rest.split(".")
    if publisher != "Microsoft" or source not in SOURCES or not all(names) or not names:
        return None
    return "-".join([source, *names]).lower()
