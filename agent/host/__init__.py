"""The machine under the agent: its figures and problems for health, and whether its clock is right.

Everything is read from /proc and /sys, so that it costs no library (psutil: 3.6 MB of the daemon).
"""

from agent.host.clock import synchronised
from agent.host.sampling import sample
from agent.host.system import System

__all__ = ["System", "sample", "synchronised"]
