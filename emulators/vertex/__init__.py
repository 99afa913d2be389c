"""A stand-in for the pipeline jobs of Vertex AI, which fails on demand.

Point the launcher at it with `RETRAIN_VERTEX_ENDPOINT`. Google has no emulator for them.
"""

from emulators.vertex.faults import Fault, FaultKind
from emulators.vertex.jobs import Job
from emulators.vertex.standin import VertexStandIn

__all__ = ["Fault", "FaultKind", "Job", "VertexStandIn"]
