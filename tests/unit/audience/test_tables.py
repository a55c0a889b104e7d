"""The fast way through a CSV file gives the rows that the plain way gives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifyctl.audience.tables import OURS, Csv, to_rows
from notifyctl.testing import MemoryFiles

cells = st.one_of(
    st.text(st.sampled_from("ab \t\u00e9\u20ac"), max_size=4),
    st.sampled_from(
        ["", "+447700900123", "x\0y", '"a,b"', '"a\nb"', '"open', "\udcff", "ada@reader.example"]
    ),
)
rows = st.lists(st.lists(cells, min_size=2, max_size=5).map(",".join), max_size=8)
headers = st.lists(st.sampled_from([*OURS, "name", "phone", "area"]), min_size=3, max_size=4, unique=True)


@given(header=headers, body=rows, data=st.data())
def test_rows_by_position_are_rows_by_name(header: list[str], body: list[str], data: st.DataObject) -> None:
    text = "\n".join([",".join(header), *body])
    table = Csv(MemoryFiles({"p.csv": text.encode("utf-8", "surrogateescape")}), "p.csv")
    columns = {ours: data.draw(st.sampled_from([ours, *header])) for ours in OURS}
    variables = {"a": data.draw(st.sampled_from(header)), "b": data.draw(st.sampled_from(header))}
    assert list(table.rows(columns, variables)) == list(to_rows(table.cells(), columns, variables))
