"""Tables of rooms as offices keep them, for certificates and for invitations alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.enrolment.rooms_table import TableRoom, read_rooms
from agent.errors import ConfigError

LUNG_CU = TableRoom("xa-lung-cu", "Xã Lũng Cú", ("giao-ban", "bien-gioi"), "lungcu@tinh.example")
DAT_MUI = TableRoom("dat-mui", "Đất Mũi", (), "")


@pytest.mark.parametrize(
    "text",
    [
        "id,name,groups,mail\nxa-lung-cu,Xã Lũng Cú,giao-ban bien-gioi,lungcu@tinh.example\ndat-mui,Đất Mũi,,\n",
        "id;name;groups;mail\nxa-lung-cu;Xã Lũng Cú;giao-ban bien-gioi;lungcu@tinh.example\ndat-mui;Đất Mũi;;\n",
        '\ufeffmail,id,groups,name\r\nlungcu@tinh.example,xa-lung-cu,"giao-ban, bien-gioi",Xã Lũng Cú\r\n,dat-mui,,Đất Mũi\r\n',
        "id,name,groups,mail,remark\nxa-lung-cu, Xã Lũng Cú ,giao-ban;bien-gioi,lungcu@tinh.example,x,y\ndat-mui,Đất Mũi\n",
    ],
    ids=["commas", "semicolons", "from Excel", "ragged"],
)
def test_a_table_is_read_as_its_program_wrote_it(text: str, tmp_path: Path) -> None:
    table = tmp_path / "rooms.csv"
    table.write_text(text, "utf-8", newline="")
    assert read_rooms(table) == [LUNG_CU, DAT_MUI]


def test_a_table_with_mistakes_names_them_all(tmp_path: Path) -> None:
    table = tmp_path / "rooms.csv"
    table.write_text("id,name\nXã A,a\nb,b\nb,c\n", "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_rooms(table)
    assert caught.value.problems == [
        f"{table}:2: 'Xã A' is no id; use a-z, 0-9 and -, as in xa-a",
        f"{table}:4: the room b stands there twice",
    ]


@pytest.mark.parametrize("text", ["", "name\nXã A\n", "id,name\n"])
def test_a_table_without_rooms_is_none(text: str, tmp_path: Path) -> None:
    table = tmp_path / "rooms.csv"
    table.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"rooms\.csv"):
        read_rooms(table)


def test_letters_of_windows_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "rooms.csv"
    table.write_bytes("id,name\na,Đất Mũi\n".encode("cp1258", "replace"))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_rooms(table)
