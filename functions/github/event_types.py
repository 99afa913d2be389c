"""The event types under which events of Azure arrive in workflows, as the Azure template's function named them."""

from typing import Final

# What that function accepted; the name of a service, or of a resource of it.
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
    """Return the event type for an Event Grid event type; none for one that is not of these services.

    `Microsoft.MachineLearningServices.RunCompleted` is `machinelearningservices-runcompleted`, and
    `Microsoft.Web/sites.AppUpdated.Stopped` is `web/sites-appupdated-stopped`.
    """
    publisher, _, rest = azure_type.partition(".")
    source, *names = rest.split(".")
    if publisher != "Microsoft" or source not in SOURCES or not all(names) or not names:
        return None
    return "-".join([source, *names]).lower()
