"""Templates: everything that a user names is escaped."""

import pytest

from kerasep.reports import rendering, report

HOSTILE = "<script>alert('\"')</script>\n\u202e\udce9"
SHOWN = "&lt;script&gt;alert(&#39;&#34;&#39;)&lt;/script&gt;\\n\\u202e\\xe9"


@pytest.mark.parametrize(
    "html",
    [
        report.page(HOSTILE, HOSTILE, [(HOSTILE, "<p>none</p>")]),
        report.table([{HOSTILE: HOSTILE}]),
        report.facts({HOSTILE: HOSTILE}),
        rendering.part("figure", HOSTILE, HOSTILE, HOSTILE),
    ],
    ids=["page", "table", "facts", "figure"],
)
def test_names_are_escaped(html):
    assert html.count(SHOWN) >= 2
    assert "script>" not in html
    assert not {"\u202e", "\udce9"} & {*html}


def test_sections_keep_their_html():
    assert "<p>none</p>" in report.page("Demo", "", [("Scores", "<p>none</p>")])
