"""System tests run inside a throw-away Debian 13, never on the machine that they are started on.

./scripts/test-system and ./scripts/test-vm take them there. In `power` are tests of a tool only; `arm64` runs here,
against a room in a foreign root (`scripts/test-system --arm64`).
"""

import os

collect_ignore = [] if "DIEMCAU_GUEST" in os.environ else ["devices", "hub", "installed"]
if "DIEMCAU_ARM64_ROOT" not in os.environ:
    collect_ignore = [*collect_ignore, "arm64"]
