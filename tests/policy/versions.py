"""A policy of our own, and the named things that happen to it between two readings."""

from __future__ import annotations

from msgspec.structs import replace

from pipeline.events import Version
from pipeline.policy.clauses import segment

POLICY = """# Example Terms

Last updated: March 1, 2024

## 1. Your account

You must be at least 13 years old to open an account with us. You are responsible for keeping your password safe.

We may suspend your account if you break these terms. We will tell you why unless the law forbids it.

## 2. Your content

You keep all rights to the content that you post. You grant us a licence to host, store and display it to others.

We do not sell your personal data to advertisers. We share it only with processors that act on our instructions.

We use the following kinds of data:

- the name and e-mail address that you gave us when you signed up
- the device and browser that you use to reach the service
- the pages of the service that you visit and for how long

## 3. Fees

Fees are billed monthly in advance and cost 12 dollars per seat. They are not refundable after 30 days.

If a payment fails we will try again for two weeks and then close the workspace, keeping its data for 90 days.

## 4. Disputes

Any dispute about these terms is decided by the courts of the place where you live. You may not be made to arbitrate.

Our liability to you is limited to what you paid us in the twelve months before the claim arose.

See our [privacy notice](https://example.com/privacy?session=1) for how we handle what we know about you.
"""


def version(text: str = POLICY, **fields: str) -> Version:
    """Return a text as a version."""
    return replace(Version(text=text, clauses=segment(text), extractor="test"), **fields)


def edited(*swaps: tuple[str, str], text: str = POLICY) -> Version:
    """Return the policy with words swapped; every swap must find its words."""
    for old, new in swaps:
        assert old in text, f"the policy does not say {old!r}"
        text = text.replace(old, new)
    return version(text)


def paragraph(start: str, text: str = POLICY) -> str:
    """Return the paragraph that begins with some words."""
    return next(block for block in text.split("\n\n") if block.startswith(start))


def without(start: str, text: str = POLICY) -> str:
    """Return the policy without the paragraph that begins with some words."""
    return text.replace(paragraph(start, text) + "\n\n", "")


def moved(start: str, before: str, text: str = POLICY) -> str:
    """Return the policy with a paragraph put before another one."""
    block = paragraph(start, text)
    return without(start, text).replace(before, f"{block}\n\n{before}")


def stacked(coming: str, current: str = POLICY) -> str:
    """Return a page that holds the coming terms above the current ones, as companies announce them."""
    notice = "**This version of the terms will go into effect on November 15, 2024. Until then the current apply.**"
    head, _, body = coming.partition("\n\n")
    return f"{head}\n\n{notice}\n\n{body}\n# Example Terms\n\n## Effective until November 15, 2024\n\n{current.partition(chr(10) * 2)[2]}"
