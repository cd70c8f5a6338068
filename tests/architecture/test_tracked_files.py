"""What is in the repository is of no particular machine, and holds no secret."""

from __future__ import annotations

import re
import subprocess

from tests.architecture.source import ROOT

FOREIGN = {
    "a home directory": re.compile(r"/(?:home|Users)/(?!pi\b|USER\b|diemcau\b)\w+/"),
    "a developer's working folder": re.compile(r"(?<![\w.])/(?:work|mnt|tmp/w)/\w"),
    "a private key": re.compile(
        r"-----BEGIN (?:EC |RSA |OPENSSH )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"
    ),
    "a merge conflict": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
}


def tracked() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listing.stdout.split("\0") if name]


def test_no_path_of_a_machine_no_key_no_conflict() -> None:
    problems = []
    for name in tracked():
        path = ROOT / name
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", errors="ignore")
        for what, pattern in FOREIGN.items():
            match = pattern.search(text)
            if match:
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{name}:{line}: {what}: {match.group()}")
    assert problems == []
