"""PDF policies: text with headings, without running heads and page numbers."""

from __future__ import annotations

import pytest

from pipeline.policy.page import Page, read_page

pytest.importorskip("pdfminer", reason="the extra `pdf` is not installed")


def pdf(pages: list[list[tuple[int, int, str]]]) -> bytes:
    """Write a PDF by hand: pages of (height, font size, words)."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for lines in pages:
        drawn = "".join(f"BT /F1 {size} Tf 72 {y} Td ({words}) Tj ET\n" for y, size, words in lines).encode()
        objects.append(b"<< /Length %d >>\nstream\n%sendstream" % (len(drawn), drawn))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
            % len(objects)
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    out, places = b"%PDF-1.4\n", []
    for number, held in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, held)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        out
        + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF".encode()
    )


def test_headings_and_paragraphs() -> None:
    """Large lines are headings, lines near each other one paragraph, running lines are nothing."""
    pages = [
        [(760, 9, "Example Inc. Terms"), (700, 20, f"Part {n}"), (660, 11, "We may change these Terms"), (647, 11, f"with notice number {n}."), (600, 11, "Fees are not refundable."), (30, 9, f"Page {n} of 4")]
        for n in range(1, 5)
    ]  # fmt: skip
    version = read_page(Page(body=pdf(pages), content_type="application/pdf")).version
    assert version is not None
    assert [clause.text for clause in version.clauses][:3] == [
        "Part 1",
        "We may change these Terms with notice number 1.",
        "Fees are not refundable.",
    ]
    assert "Page" not in version.text.replace("Part", "")
    assert version.clauses[1].path == ("Part 1",)


def test_no_text() -> None:
    """A PDF without text is empty, not an error."""
    assert read_page(Page(body=pdf([[]]))).state == "empty"
