"""System tests run inside a throw-away Debian 13, never on the machine that they are started on.

./scripts/test-system and ./scripts/test-vm take them there.
"""

import os

if "DIEMCAU_GUEST" not in os.environ:
    collect_ignore_glob = ["*/test_*.py"]
