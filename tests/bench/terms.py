"""The policy that the benches of the line change: forty clauses of which one says for how many days."""

from __future__ import annotations

SECRET = "whsec_" + "Y2xhdXNld2lyZSBiZW5jaCBzZWNyZXQgb24gbG9vcGJhY2s="
WORDS = (
    "service",
    "account",
    "content",
    "data",
    "party",
    "liability",
    "notice",
    "consent",
    "right",
    "process",
    "share",
    "retain",
    "delete",
)


def text(number: int, days: int) -> bytes:
    """Return the policy of a document, about 7 kB of Markdown; `days` is what its eighth clause says."""
    clauses = [
        f"## {k}. {WORDS[k % 13].title()} {number}\n\nWe may {WORDS[(k + number) % 13]} your {WORDS[(k * 3) % 13]} for "
        f"{days if k == 7 else 30} days where the {WORDS[(k * 5 + 1) % 13]} of clause {k} asks for it, "
        f"and we tell you by e-mail before we {WORDS[(k * 7 + 2) % 13]} it with anybody else at all."
        for k in range(40)
    ]
    return ("# Terms\n\n" + "\n\n".join(clauses)).encode()
