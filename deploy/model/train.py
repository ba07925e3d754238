"""Train the shipped model of categories: `python deploy/model/train.py --data DIR`.

Weak supervision. The clauses are those of Open Terms Archive collections (ODC-BY 1.0) and of github/site-policy
(CC0) under DIR/policies, English ones, each text once; their labels are what the taxonomy's seeds say of the
clause and of the headings above it. Sentences that UNFAIR-ToS (CC BY 4.0, DIR/labelled/unfair_tos) tags as
unfair are added as positives of the category that their tag maps to. No other labelled set is read, so that the
model may be shipped. Needs scikit-learn (extra `learn`); the result needs numpy only.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.policy.clauses import segment
from pipeline.policy.linear import terms
from pipeline.policy.taxonomy import taxonomy
from pipeline.policy.wording import is_english

TERMS = 14_000  # what the shipped model knows
SOURCES = ("OpenTermsArchive/", "github/site-policy")
TAGS = {"a": "arbitration_class_waiver", "ch": "policy_change", "cr": "content_moderation", "j": "governing_law_venue",
        "law": "governing_law_venue", "ltd": "liability_cap", "ter": "termination", "use": "acceptance"}  # fmt: skip


def documents(data: Path) -> Iterator[str]:
    """Yield the last and a middle version of each document whose licence allows it."""
    runs: dict[str, list[str]] = defaultdict(list)
    for line in (data / "policies" / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["file"].endswith(".md") and row["source_repo"].startswith(SOURCES):
            runs[f"{row['service']}/{row['document']}"].append(row["file"])
    for _, files in sorted(runs.items()):
        for file in dict.fromkeys((files[-1], files[len(files) // 2])):
            yield (data / "policies" / file).read_text()


def clauses(data: Path) -> Iterator[tuple[str, str]]:
    """Yield each distinct English clause with the headings and lead-in above it."""
    seen: set[str] = set()
    for text in documents(data):
        for clause in segment(text) if len(text) < 400_000 else ():
            key = re.sub(r"\W+", " ", clause.text.lower())
            if clause.kind != "heading" and len(key) > 25 and key not in seen and is_english(clause.text):
                seen.add(key)
                yield clause.text, " / ".join((*clause.path[-2:], clause.lead))


def unfair(data: Path) -> Iterator[tuple[str, str]]:
    """Yield the sentences that UNFAIR-ToS tags, each with its category."""
    folder = data / "labelled" / "unfair_tos"
    for path in sorted((folder / "sentences" / "en" / "original").glob("*.txt")):
        tags = (folder / "tags" / "en" / "original" / path.name).read_text().split("\n")
        for sentence, line in zip(path.read_text().split("\n"), tags, strict=False):
            for tag in line.split():
                name = TAGS.get(tag.rstrip("123"))
                if name:
                    yield sentence, name


def weak(text: str, above: str) -> list[tuple[float, float]]:
    """Return for each category the label that the seeds suggest and how far to trust it."""
    told = []
    for category in taxonomy().values():
        own, head = len(category.hits(text)), bool(above and category.hits(above))
        sure = 1.0 if own >= 2 or (own and head) else 0.6 if own else 0.35 if head else 0.0
        told.append((1.0, sure) if sure else (0.0, 1.0))
    return told


def labelled(data: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return texts, labels and trust, one row each."""
    pairs = list(clauses(data))
    extra = [(text, name) for text, name in unfair(data) if len(text) > 30]
    told = np.array([weak(text, above) for text, above in pairs] + [weak(text, "") for text, _ in extra])
    names = list(taxonomy())
    for row, (_, name) in enumerate(extra, start=len(pairs)):
        told[row, names.index(name)] = (1.0, 1.0)
    return [text for text, _ in pairs] + [text for text, _ in extra], told[..., 0], told[..., 1]


def fit(
    texts: list[str], labels: np.ndarray, trust: np.ndarray, vocabulary: list[str] | None
) -> tuple[TfidfVectorizer, np.ndarray, np.ndarray]:
    """Return the vectoriser, the weights (terms by labels) and the biases."""
    pick = {"vocabulary": vocabulary} if vocabulary else {"min_df": 4, "max_df": 0.4}
    vectors = TfidfVectorizer(analyzer=lambda text: list(terms(text).elements()), sublinear_tf=True, **pick)
    matrix = vectors.fit_transform(texts)
    weights, biases = [], []
    for column in range(labels.shape[1]):
        model = LogisticRegression(C=6.0, solver="liblinear", random_state=0)
        model.fit(matrix, labels[:, column], sample_weight=trust[:, column])
        weights.append(model.coef_[0])
        biases.append(model.intercept_[0])
    return vectors, np.array(weights).T, np.array(biases)


def main() -> None:
    """Train on --data and write --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("categories.npz"))
    options = parser.parse_args()
    texts, labels, trust = labelled(options.data)
    vectors, weights, _ = fit(texts, labels, trust, None)
    names = vectors.get_feature_names_out()
    best = np.argsort(-np.abs(weights).max(axis=1), kind="stable")[:TERMS]
    vectors, weights, biases = fit(texts, labels, trust, sorted(names[best]))
    scale = np.abs(weights).max(axis=0) / 127
    np.savez_compressed(
        options.out,
        terms=np.frombuffer("\n".join(vectors.get_feature_names_out()).encode(), dtype=np.uint8),
        labels=np.frombuffer("\n".join(taxonomy()).encode(), dtype=np.uint8),
        idf=vectors.idf_.astype(np.float32),
        weights=np.round(weights / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        bias=biases.astype(np.float32),
    )
    print(
        f"{len(texts)} texts, {len(names)} terms of which {TERMS} kept, {labels.sum():.0f} labels: {options.out}"
    )


if __name__ == "__main__":
    main()
