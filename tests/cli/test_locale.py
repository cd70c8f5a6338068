"""The catalogs: complete both ways, true to their placeholders, and chosen by the environment."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from agent import locale
from agent.core.model.commands import AckState, Code
from agent.core.model.documents import Phase
from agent.locale.po import read_catalog
from tests.cli.conftest import Bench
from tests.cli.messages import messages

TRANSLATED = [language for language in locale.LANGUAGES if language != "en"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_message_is_translated_and_nothing_else(language: str) -> None:
    """`python -m tests.cli.messages vi` prints what is missing, ready to be filled in."""
    wanted, known = set(messages()), set(read_catalog(locale.path(language)))
    assert sorted(wanted - known) == []
    assert sorted(known - wanted) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_survive_translation(language: str) -> None:
    def placeholders(text: str) -> list[str]:
        return sorted(re.findall(r"{(\w+)", text))

    for message, translated in read_catalog(locale.path(language)).items():
        assert placeholders(message) == placeholders(translated), message


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_entry_stands_twice(language: str) -> None:
    text = locale.path(language).read_text("utf-8")
    identifiers = re.findall(r'^msgid (".*")$', text, re.MULTILINE)
    texts = [ast.literal_eval(one) for one in identifiers]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize(
    ("wanted", "environment", "expected"),
    [
        (None, {"LANG": "vi_VN.UTF-8"}, "vi"),
        (None, {"LANG": "vi_VN.UTF-8", "LC_ALL": "C"}, "en"),
        (None, {"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN"}, "vi"),
        (None, {}, "en"),
        (None, {"LANG": "fr_FR.UTF-8"}, "en"),
        ("vi", {"LANG": "C"}, "vi"),
    ],
)
def test_the_language_is_the_option_or_the_environments(
    wanted: str | None, environment: dict[str, str], expected: str
) -> None:
    assert locale.choose(wanted, environment) == expected


@pytest.mark.parametrize("language", locale.LANGUAGES)
def test_every_word_of_the_contract_has_a_text(language: str) -> None:
    from agent.cli import words

    locale.use(language)
    try:
        texts = [words.ack_code(code) for code in Code]
        texts += [words.ack_state(state) for state in AckState]
        texts += [words.phase(phase) for phase in Phase]
    finally:
        locale.use("en")
    assert all(texts)
    assert len(set(texts[: len(Code)])) == len(Code)


def test_the_doctor_speaks_vietnamese_by_option_and_by_environment(healthy: Bench) -> None:
    healthy.break_device("camera", "unplugged")
    by_option = healthy.run("doctor", "camera", "--lang", "vi").stdout
    assert "Không thấy camera" in by_option
    assert "Rút cáp USB của camera ra cắm lại" in by_option
    healthy.environment = {"LANG": "vi_VN.UTF-8", "PYTHONUTF8": "1"}
    try:
        by_environment = healthy.run("doctor", "camera").stdout
    finally:
        healthy.environment = {"LANG": "C.UTF-8"}
    assert "Không thấy camera" in by_environment


def test_a_catalog_is_read_as_gettext_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "x.po"
    path.write_text(
        'msgid ""\nmsgstr "Language: vi\\n"\n\n# remark\nmsgid "a"\n"b"\nmsgstr "c\\"d"\n\n'
        '#, fuzzy\nmsgid "f"\nmsgstr "g"\n\nmsgid "{n} x"\nmsgid_plural "{n} xs"\nmsgstr[0] "{n} y"\n'
    )
    assert read_catalog(path) == {"ab": 'c"d', "{n} x": "{n} y"}


@pytest.mark.parametrize("broken", ['msgstr "x', "msgstr x", 'msgstr "a\\q"', 'msgstr "a\\"'])
def test_a_broken_catalog_is_a_value_error(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "x.po"
    path.write_text(f'msgid "a"\n{broken}\n')
    with pytest.raises(ValueError, match=r"quotation marks|escape"):
        read_catalog(path)


def test_one_word_for_one_thing() -> None:
    """What the glossary in the catalog's head replaced."""
    others = (
        "máy chủ hình tiếng",
        "máy chủ media",
        "chứng thư",
        "microphone",
        "giả lập",
        "tiến trình media",
    )
    catalog = read_catalog(locale.path("vi"))
    commands = re.compile(r"diemcau [a-z ]+|[\w.]*\.[\w.]+|camera microphone|Microphone live$")
    said = {text: commands.sub("", text).lower() for text in catalog.values()}
    assert not {text: other for text, low in said.items() for other in others if other in low}
