"""A stand-in for an Event Grid custom topic and its subscriptions, which fails on demand.

Point the real publisher at `EventGridStandIn.endpoint`.
"""

from emulators.event_grid.standin import EventGridStandIn, TopicFault
from emulators.event_grid.subscription import DeadLetter, Subscription

__all__ = ["DeadLetter", "EventGridStandIn", "Subscription", "TopicFault"]
