"""Pages of the demo: the same words in whatever dress and manner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from agents.demo.dress import content, reflowed, remarked
from agents.demo.site import rendered
from agents.demo.story import Day, Serving, Story, read_story


@pytest.fixture(scope="module")
def story() -> Story:
    return read_story()


def words(page: str) -> list[str]:
    return str(html.fromstring(page).text_content()).split()


@given(
    st.lists(st.text(alphabet="abc é—.", min_size=1, max_size=200).filter(str.strip), min_size=1, max_size=5)
)
def test_reflow_keeps_words(paragraphs: list[str]) -> None:
    """Other line breaks, the same words in the same order."""
    page = "".join(f"<p>{text}</p>" for text in paragraphs)
    assert words(reflowed(page)) == words(page)


def test_remark_keeps_words() -> None:
    """Other markup, the same words."""
    page = content("# A\n\nOne **two**\nthree.\n\n* four\n* five\n")
    assert words(remarked(page)) == words(page)
    assert remarked(page) != page


def test_front_matter_is_left_out() -> None:
    """What stands before the text for a site's generator is not shown."""
    assert content("---\ntitle: T\n---\n\nText\n") == "<p>Text</p>\n"


def servings(story: Story) -> list[tuple[Day, Serving]]:
    return [(day, serving) for day in story.days for serving in day.pages]


def test_captures_are_whole(story: Story) -> None:
    """Every page that the story serves is there, can be rendered, and every file there is served."""
    documents = {document.id: document for document in story.documents}
    for day, serving in servings(story):
        assert len(rendered(story, documents[serving.document], serving, day)) > 500
    files = {path.relative_to(story.folder / "pages").as_posix() for path in story.folder.rglob("*.gz")}
    assert files == {serving.page for _, serving in servings(story)}


def test_sources_are_listed(story: Story) -> None:
    """Every file of the demo stands in the list of sources with a licence that lets us pass it on."""
    listed = (story.folder / "SOURCES.md").read_text(encoding="utf-8")
    rows = [line for line in listed.splitlines() if line.startswith("| ")]
    for _, serving in servings(story):
        assert any(
            serving.page in row and row.rstrip(" |").endswith(("ODC-BY 1.0", "CC0 1.0")) for row in rows
        )


def test_story_is_consistent(story: Story) -> None:
    """Days are in order; what is expected of them names documents and watches that there are."""
    documents = {document.id for document in story.documents}
    watches = {watch.name for watch in story.watches}
    assert [day.date for day in story.days] == sorted(day.date for day in story.days)
    assert {told.document for day in story.days for told in day.alerts} <= documents
    assert {name for day in story.days for name in (*day.tells, *day.may_tell)} <= watches
    assert {serving.document for serving in story.days[0].pages} == documents


def test_furniture_differs_by_day(story: Story) -> None:
    """A page whose words stay is still another page on another day, as real sites' are."""
    document = story.documents[0]
    serving = Serving(document=document.id, page="x/privacy-policy/2024-07-25.md.gz")
    pages = {rendered(story, document, serving, day) for day in story.days[:3]}
    assert len(pages) == 3
