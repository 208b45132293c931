"""How does the report look in a browser?  One self-contained page: no script, no network, fonts and figures inside."""

from __future__ import annotations

from base64 import b64encode
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verify.report.figures import inline
from verify.report.formula import Formula

if TYPE_CHECKING:
    from verify.report.data import Report
    from verify.report.errata import Page

FACES = (  # family, style, weight, file
    ("Verify Math", "normal", 400, "math.woff2"),
    ("Verify Text", "normal", 400, "regular.woff2"),
    ("Verify Text", "italic", 400, "italic.woff2"),
    ("Verify Text", "normal", 600, "semibold.woff2"),
    ("Verify Mono", "normal", 400, "mono.woff2"),
)


def render_html(report: Report | Page, template: str = "report.html") -> str:
    """The HTML document that the template makes of the records."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("verify.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {
        "prose": lambda prose: Markup("").join(_inline(part) for part in prose),
        "math": lambda formula: Markup(formula.mathml),
        "plot": lambda chart, name: Markup(inline(chart.svg, name, chart.label)),
    }
    style = Markup(_fonts() + _template("report.css"))
    return environment.get_template(template).render(report=report, style=style)


def _inline(part: str | Formula) -> Any:
    from markupsafe import Markup, escape

    return Markup(part.mathml) if isinstance(part, Formula) else escape(part)


def _template(name: str) -> str:
    return files("verify.report").joinpath("templates", name).read_text("utf-8")


def _fonts() -> str:
    faces = []
    for family, style, weight, file in FACES:
        data = b64encode(files("verify.report").joinpath("templates", file).read_bytes()).decode()
        faces.append(
            f'@font-face{{font-family:"{family}";font-style:{style};font-weight:{weight};font-display:block;'
            f"src:url(data:font/woff2;base64,{data})format('woff2')}}\n"
        )
    return "".join(faces)
