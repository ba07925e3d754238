"""Whom a mail server is trusted by."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from agents.channels import trusted
from pipeline.config import SmtpSettings
from pipeline.errors import ConfigError


def test_named_authority_is_trusted(tmp_path: Path) -> None:
    """A file of certificates that the configuration names is the one that counts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = trusted(SmtpSettings(host="mail", ca_file=str(tmp_path / "ca.pem")))
    assert context is not None
    assert len(context.get_ca_certs()) >= 1


def test_no_file_means_the_system() -> None:
    """Without a file the system's authorities count."""
    assert trusted(SmtpSettings(host="mail")) is None


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_unusable_file_is_named(tmp_path: Path, content: str | None) -> None:
    """A file that is missing or no certificate is named, with what to do."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        trusted(SmtpSettings(host="mail", ca_file=str(path)))
