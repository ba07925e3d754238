"""Our posts before the libraries that receivers use; `make judges` asks those of npm as well."""

from datetime import UTC, datetime

import msgspec
import pytest

from tests.judges import posts
from tests.judges.cases import ours
from tests.judges.posts import LIBRARIES, Library

by_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.name)


@by_library
def test_variants_judged_right(library: Library) -> None:
    """Good posts are accepted, rotated ones by either secret; tampered, old and foreign ones are refused."""
    given = list(posts.posts(ours(), datetime.now(UTC)))
    assert list(posts.misjudged(library, given)) == []
    assert {post.good for post in given} == {True, False}


@by_library
async def test_received_posts_verify(library: Library) -> None:
    """What a receiver gets from the notifier verifies, with words of any script and with hostile ones."""
    given = await posts.sent(ours())
    assert list(posts.misjudged(library, given)) == []
    assert any(not post.body.isascii() for post in given)


def test_wrong_judgement_is_seen() -> None:
    """A good post that a library refuses is a fault, as is a bad one that it accepts."""
    good, *_, bad = posts.posts(ours()[:1], datetime.now(UTC))
    wrong = [msgspec.structs.replace(post, good=not post.good) for post in (good, bad)]
    assert len(list(posts.misjudged(LIBRARIES[0], wrong))) == 2
