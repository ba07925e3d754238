"""The block that asks for signed mails: which domain, which selector, which secret."""

from pathlib import Path

import pytest

from pipeline import config
from pipeline.config.loading import parse
from pipeline.config.model import DkimSettings, Settings

FILE = "smtp: {{host: h, from: a@example.org, dkim: {}}}"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n"


def settings(block: str, **env: str) -> Settings:
    return parse(FILE.format(block).encode(), Path("/etc/cw/clausewire.yaml"), env)


def test_block_is_read() -> None:
    """Domain and selector are read as DNS compares them, and the key is a secret that the file names."""
    found = settings("{domain: Example.org, selector: cw.2026, key_env: DKIM_KEY}", DKIM_KEY=PEM)
    assert found.smtp is not None
    assert found.smtp.dkim == DkimSettings(domain="example.org", selector="cw.2026", key_env="DKIM_KEY")
    assert found.secrets["DKIM_KEY"] == PEM
    assert "MC4CAQ" not in repr(found)


def test_key_in_a_file(tmp_path: Path) -> None:
    """The key may stand in a file that the environment names."""
    (tmp_path / "key.pem").write_text(PEM)
    found = settings(
        "{domain: example.org, selector: cw, key_env: DKIM_KEY}", DKIM_KEY_FILE=str(tmp_path / "key.pem")
    )
    assert found.secrets["DKIM_KEY"] == PEM.strip()


def test_missing_key_is_told() -> None:
    """A key that nothing holds is told with its line."""
    (error,) = settings("{domain: example.org, selector: cw, key_env: DKIM_KEY}").missing_secrets()
    assert "smtp.dkim.key_env" in str(error)
    assert "DKIM_KEY_FILE" in error.remedy


@pytest.mark.parametrize(
    ("block", "key", "fact", "remedy"),
    [
        ("{selector: cw, key_env: K}", "smtp.dkim", '"domain" is missing', "domain: example.org"),
        ("{domain: a.org, key_env: K}", "smtp.dkim", '"selector" is missing', "selector: clausewire"),
        ("{domain: a.org, selector: cw}", "smtp.dkim", '"key_env" is missing', "DKIM_KEY"),
        ("{domain: a_b, selector: cw, key_env: K}", "smtp.dkim.domain", "no name", "example.org"),
        ("{domain: bücher.de, selector: cw, key_env: K}", "smtp.dkim.domain", "no name", "xn--"),
        ('{domain: a.org, selector: "cw; x", key_env: K}', "smtp.dkim.selector", "no name", "_domainkey"),
        ("{domain: a.org, selector: cw, key_env: /key.pem}", "smtp.dkim.key_env", "never the secret", "KEY"),
        ("yes", "smtp.dkim", "table of keys", "domain"),
    ],
)
def test_bad_block_is_told(block: str, key: str, fact: str, remedy: str) -> None:
    """What is wrong is told with its key and what to write instead."""
    with pytest.raises(config.ConfigErrors) as caught:
        settings(block)
    (error,) = caught.value.errors
    assert (error.key, fact in str(error.args[0]), remedy in error.remedy) == (key, True, True)


def test_key_in_the_file_is_refused() -> None:
    """A key written into the file is refused and not repeated."""
    with pytest.raises(config.ConfigErrors) as caught:
        settings('{domain: a.org, selector: cw, key_env: K, key: "MC4CAQ"}')
    assert "key_env" in str(caught.value)
    assert "MC4CAQ" not in str(caught.value)
