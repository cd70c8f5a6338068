"""Says on the console, before the agent starts, in what state a power cut has left its journal, and hands over the
recordings, as the file system has them then."""

import shutil
import sqlite3
import tempfile
from pathlib import Path

JOURNAL = Path("/var/lib/diemcau/journal.db")
RECORDINGS, KEPT = Path("/var/lib/diemcau/recordings"), Path("/kept")

if RECORDINGS.exists():
    for film in RECORDINGS.glob("*.mp4"):
        shutil.copy(film, KEPT)
with tempfile.TemporaryDirectory() as folder:
    for part in JOURNAL.parent.glob(f"{JOURNAL.name}*"):
        # a copy, since looking would finish the recovery that the agent is to do itself
        shutil.copy(part, folder)
    if JOURNAL.exists():
        with sqlite3.connect(Path(folder, JOURNAL.name)) as copy:
            ((verdict,),) = copy.execute("PRAGMA integrity_check").fetchall()
            ((commands,),) = copy.execute("SELECT count(*) FROM command").fetchall()
            print(f"journal: {verdict}, {commands} commands", flush=True)
    else:
        print("journal: none yet", flush=True)
