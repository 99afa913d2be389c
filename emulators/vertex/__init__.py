"""A stand-in for the pipeline jobs of Vertex AI, which fails on demand.

Point the launcher at it with `RETRAIN_VERTEX_ENDPOINT`. Google has no emulator for them.
"""

from pathlib import Path
from typing import Final

from emulators.vertex.faults import Fault, FaultKind
from emulators.vertex.jobs import Job
from emulators.vertex.standin import VertexStandIn

__all__ = ["SPECIFICATION", "Fault", "FaultKind", "Job", "VertexStandIn"]

# A compiled pipeline that jobs can be made of.
SPECIFICATION: Final = Path(__file__).with_name("google_pipeline.json")
