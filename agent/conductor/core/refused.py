"""An operator's act that is not done, and why."""

from __future__ import annotations

from agent.errors import AgentError


class Refused(AgentError):
    """Codes: `already-running`, `run-elsewhere`, `no-such-meeting`, `not-a-member`, `floor-full`,
    `floor-open`, `queue-empty`, `not-queued`, `changed-meanwhile`, `bad-meeting`, `room-taken`,
    `too-late`, `journal-failed`, `not-permitted`, `bad-request`.
    """
