"""A stand-in for the jobs of Azure Machine Learning in Azure Resource Manager, which fails on demand.

Point the real client at it with `RETRAIN_ARM_ENDPOINT`. `Identity` is the endpoint of a managed identity.
"""

from emulators.arm.faults import Fault, FaultKind
from emulators.arm.identity import Identity
from emulators.arm.jobs import Component, Job
from emulators.arm.standin import ArmStandIn

__all__ = ["ArmStandIn", "Component", "Fault", "FaultKind", "Identity", "Job"]
