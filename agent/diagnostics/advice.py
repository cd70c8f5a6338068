"""What to do about a finding with one's hands, as a code that a hub can say in its own words."""

from __future__ import annotations

from agent.diagnostics.report import Finding, Outcome

ADVICE = {
    "check-the-cable": ("absent", "no-connector", "no-edid", "unconnected", "unplugged"),
    "replug": ("stalled", "frozen", "failed", "hangs", "probe-stuck", "crashed"),
    "end-the-other-program": ("busy",),
    "uncover-the-lens": ("black",),
    "clean-the-lens": ("blurred",),
    "light-or-own-port": ("slow",),
    "switch-on-or-replace": ("dead", "silent"),
    "turn-up": ("too-quiet",),
    "turn-down": ("clipping",),
    "reinstall": ("not-installed", "session-crashed"),
    "call-the-hub": (
        *("unreachable", "refused", "troubled", "name-unknown", "timeout", "closed"),
        *("wrong-peer", "not-returned"),
    ),
    "open-the-firewall": ("no-path",),
    "use-a-cable": ("lossy", "far", "session-stalled"),
    "renew-the-certificate": ("certificate", "ends-soon", "expired", "revoked"),
    "set-the-clock": ("unsynchronised", "wrong"),
    "free-the-disk": ("full", "low"),
    "replace-the-card": ("read-only",),
    "use-the-right-supply": ("under-voltage", "under-voltage-occurred"),
    "cool-the-box": ("hot",),
}
"""Advice -> how the codes end of the findings that it is for."""

TOO_BUSY = "free-the-processor"
"""Nothing can be said while other programs take it."""

OTHERWISE = "run-the-doctor"
"""At the room: `diemcau doctor` says the rest in words."""


def advice_code(finding: Finding) -> str:
    """The advice for what is not well; empty for what is, or was not looked at."""
    if finding.outcome in (Outcome.OK, Outcome.SKIPPED):
        return ""
    if finding.busy:
        return TOO_BUSY
    fitting = [
        (len(ending), advice)
        for advice, endings in ADVICE.items()
        for ending in endings
        if finding.code.endswith(f"-{ending}")
    ]
    return max(fitting)[1] if fitting else OTHERWISE
