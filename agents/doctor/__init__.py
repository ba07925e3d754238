"""Is everything in order? Each thing looked at gives one finding, with what to do when it is not.

examination    the whole, in order
configuration  what the file holds and lacks, its secrets and keys
sources        documents, feeds, the browser that shows them, the sites' clocks
mail           the mail server, the key that signs
destinations   where routes lead
summaries      the endpoint that rewords them
bodies         the bucket
broker         the embedded log, or Kafka: its id, topics and clock
machine        room on the disk, Python, packages
probes         one look each at things outside
"""

from __future__ import annotations

from agents.doctor.examination import examine
from agents.doctor.finding import Finding, Level

__all__ = ["Finding", "Level", "examine"]
