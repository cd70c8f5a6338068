"""An upgrade under a running daemon is noticed before it starts a media process of the new version."""

from pathlib import Path

from agent.runtime.code import InstalledCode


def replace(file: Path) -> None:
    """As dpkg does: another file is put in its place, here one that says the same."""
    new = file.with_suffix(".dpkg-new")
    new.write_bytes(file.read_bytes())
    new.replace(file)


def test_the_code_of_this_daemon_is_not_replaced():
    assert not InstalledCode().replaced()


def test_another_file_in_its_place_is_noticed_even_of_the_same_version(tmp_path):
    file = tmp_path / "__init__.py"
    file.write_text('__version__ = "1"')
    code = InstalledCode(str(file))
    assert not code.replaced()
    replace(file)
    assert code.replaced()


def test_a_file_that_is_gone_is_no_upgrade(tmp_path):
    """Then nothing could be started anew either."""
    file = tmp_path / "__init__.py"
    file.touch()
    code = InstalledCode(str(file))
    file.unlink()
    assert not code.replaced()
