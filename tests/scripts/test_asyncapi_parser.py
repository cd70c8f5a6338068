"""AsyncAPI's own parser, which scripts/setup installs from npm, takes docs/asyncapi.yaml."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "asyncapi.yaml"
PARSER = ROOT / ".venv" / "asyncapi"
"""Where scripts/setup puts the parser from npm."""

CHECK = """
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync(process.argv[1], "utf8");
new Parser().parse(text).then(({ document, diagnostics }) => {
  const errors = diagnostics.filter((one) => one.severity === 0);
  console.log(JSON.stringify({ taken: Boolean(document), errors: errors.map((one) => one.message) }));
});
"""


def parsed(path: str) -> dict[str, object]:
    done = subprocess.run(
        ["node", "-e", CHECK, path],
        cwd=PARSER,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(
    not (PARSER / "node_modules").is_dir(),
    reason="scripts/setup could not install AsyncAPI's parser",
)
@pytest.mark.parametrize("whole", [True, False], ids=["ours", "without an address's schema"])
def test_asyncapis_own_parser_takes_it(whole: bool, tmp_path: Path) -> None:
    path = PAGE
    if not whole:  # the parser is no rubber stamp
        path = tmp_path / "broken.yaml"
        path.write_text(PAGE.read_text("utf-8").replace("#/components/schemas/Join", "#/nowhere"))
    found = parsed(str(path))
    assert (found["taken"] and found["errors"] == []) is whole, found
