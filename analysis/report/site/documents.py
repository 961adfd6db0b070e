"""The project's own documents as pages: decisions, estimators, notes of papers. Their Markdown is
English; what in it looks like HTML stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from analysis.report.site.pages import Page
from warehouse.project import PROJECT

DOCS = PROJECT / "docs"
Target = Callable[[str], str | None]


def rendered(text: str, target: Target) -> Markup:
    """Markdown as HTML that holds no tag of its own.

    Parameters
    ----------
    target : where a link leads in the site; None where it leads out of it, and becomes its text
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(tokens[at + 1].content))
        _turn(token.children or [], target)
    html = markdown.renderer.render(tokens, markdown.options, {})
    # Wide tables scroll in a box of their own, which a keyboard reaches.
    box = '<div class="scroll" role="region" tabindex="0" aria-label="table"><table>'
    html = html.replace("<table>", box).replace("</table>", "</table></div>")
    return Markup(html.replace("<pre>", '<pre tabindex="0">'))


def title_of(text: str) -> str:
    """A document's first heading, without its marks."""
    return text.splitlines()[0].lstrip("# ").replace("`", "")


def document_pages(folder: str, list_page: str) -> Iterator[Page]:
    """A folder of docs as pages: its README is the list, each other file a page.

    Parameters
    ----------
    folder : of docs, such as decisions; list_page : the list's page, such as decisions.html
    """
    names = sorted(file.name for file in (DOCS / folder).glob("*.md"))
    for name in names:
        text = (DOCS / folder / name).read_text(encoding="utf-8")
        is_list = name == "README.md"
        path = list_page if is_list else f"{folder}/{name.removesuffix('.md')}.html"
        yield Page(
            path, "document.html", title_of(text), list_page,
            {"content": rendered(text, _within(folder, names, is_list)), "is_list": is_list},
        )  # fmt: skip


def _within(folder: str, names: list[str], from_list: bool) -> Target:
    """Links between the documents of a folder and to decisions; all others lead out of the site."""
    known = {file.name for file in (DOCS / "decisions").glob("*.md")}

    def target(link: str) -> str | None:
        name, mark, anchor = link.partition("#")
        if not name:
            return link
        up = "" if from_list else "../"
        where, _, last = name.rpartition("/")
        here = folder if where in ("", ".") else where.rsplit("/", 1)[-1]
        if here == folder and last in names and where in ("", "."):
            page = f"{up}{folder}.html" if last == "README.md" else f"{up}{folder}/{last[:-3]}.html"
        elif here == "decisions" and last in known:
            page = (
                f"{up}decisions.html" if last == "README.md" else f"{up}decisions/{last[:-3]}.html"
            )
        else:
            return None
        return f"{page}{mark}{anchor}"

    return target


def _turn(children: list[Token], target: Target) -> None:
    """Point links into the site; one that leads out of it becomes text that says where it led, and
    a picture its words.
    """
    tag = "a"
    for token in children:
        if token.type == "link_open":
            href = str(token.attrGet("href"))
            found = target(href)
            tag = "a" if found is not None else "span"
            token.tag, token.attrs = tag, {"href": found} if found is not None else {"title": href}
        elif token.type == "link_close":
            token.tag = tag  # a link never holds a link, so the last one opened is meant
        elif token.type == "image":
            token.type, token.tag, token.attrs = "text", "", {}


def _anchor(heading: str) -> str:
    """The anchor that a heading has elsewhere too."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
