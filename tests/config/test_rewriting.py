"""Who may reword summaries, and which browser may render: off unless the file says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import ConfigErrors, RewriterSettings, Settings, parse


def settings(text: str) -> Settings:
    return parse(text.encode(), Path("clausewire.yaml"), {})


def test_both_are_off() -> None:
    """A file that names neither gets neither."""
    found = settings("documents: []\n")
    assert (found.rewriter, found.fetch.browser, found.fetch.browser_sandbox) == (None, "", True)


def test_what_is_named() -> None:
    """Endpoint, model and the name of the key; the browser and its sandbox."""
    found = settings(
        "summary: {rewriter_url: 'http://127.0.0.1:8080/v1/', model: m, api_key_env: KEY, timeout: 5s}\n"
        "fetch: {browser: auto, browser_sandbox: false}\n"
    )
    assert found.rewriter == RewriterSettings(
        url="http://127.0.0.1:8080/v1", model="m", api_key_env="KEY", timeout_s=5.0
    )
    assert (found.fetch.browser, found.fetch.browser_sandbox) == ("auto", False)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("summary: {model: m}", "summary"),
        ("summary: {rewriter_url: 'http://h/v1'}", "summary"),
        ("summary: {rewriter_url: h, model: m}", "summary.rewriter_url"),
        ("summary: {rewriter_url: 'http://h', model: m, api_key: sk-1}", "summary.api_key"),
        ("fetch: {browser: 5}", "fetch.browser"),
        ("fetch: {browser_sandbox: maybe}", "fetch.browser_sandbox"),
    ],
)
def test_mistakes_are_named(text: str, key: str) -> None:
    """What is wrong is told with its key, and a key's value is never repeated."""
    with pytest.raises(ConfigErrors) as caught:
        settings(text)
    assert [error.key for error in caught.value.errors] == [key]
    assert "sk-1" not in str(caught.value)
