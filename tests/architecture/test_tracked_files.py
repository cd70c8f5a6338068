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

BUILT = {".whl", ".deb", ".so", ".pyc", ".mo", ".img", ".wav", ".mp4"}
"""Suffixes of what is built, downloaded or recorded, and never belongs to the source."""


TOP_LEVEL = {
    *(".ci", "agent", "config", "docs", "scripts", "systemd", "tests"),
    *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"),
    *("pyproject.toml", "setup.cfg"),
    *(".editorconfig", ".gitattributes", ".gitignore", ".pre-commit-config.yaml"),
}
"""What `ls` shows; a file that somebody tried something with is none of it."""


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


def test_nothing_built_is_tracked() -> None:
    assert [name for name in tracked() if (ROOT / name).suffix in BUILT] == []


def test_nothing_stands_beside_the_architecture() -> None:
    assert {name.partition("/")[0] for name in tracked()} - TOP_LEVEL == set()


def test_decisions_are_numbered_one_by_one() -> None:
    numbers = sorted(path.name[:3] for path in (ROOT / "docs/decisions").glob("*.md"))
    assert numbers == [f"{number:03}" for number in range(1, len(numbers) + 1)]
