"""System tests run inside a throw-away Debian 13, never on the machine that they are started on.

./scripts/test-system and ./scripts/test-vm take them there. In `power` are tests of a tool only.
"""

import os

if "DIEMCAU_GUEST" not in os.environ:
    collect_ignore = ["devices", "installed"]
