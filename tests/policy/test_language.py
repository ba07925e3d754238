"""The language of a text, by its script or its small words."""

from __future__ import annotations

import pytest

from pipeline.policy.language import detect, primary


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We may share your information with our partners if you agree to it."),
        ("de", "Wir speichern Ihre Daten und geben sie nicht an Dritte weiter."),
        ("fr", "Nous conservons vos données et nous ne les partageons pas avec des tiers."),
        ("es", "Podemos compartir sus datos con los socios que usted elija para el servicio."),
        ("it", "Non condividiamo i dati con terze parti e li conserviamo per il tempo che serve."),
        ("pt", "Não partilhamos os seus dados com terceiros e os conservamos por um ano."),
        ("nl", "Wij bewaren uw gegevens en delen die niet met derden zonder dat u het weet."),
        (
            "pl",
            "Nie przekazujemy danych dla innych, ale mogą się one znaleźć na serwerze, który jest od nas.",
        ),
        ("ru", "Мы не передаём ваши данные третьим лицам."),
        ("uk", "Ми не передаємо ваші дані третім особам і зберігаємо їх рік."),
        ("zh", "我们可能会收集、使用和共享您的个人信息，以便为您提供服务。"),
        ("ja", "当社はお客様の個人情報を収集し、利用することがあります。"),
        ("ko", "당사는 귀하의 개인정보를 수집하고 이용할 수 있습니다."),
        ("ar", "نحن نجمع المعلومات الشخصية التي تقدمها لنا."),
        ("he", "אנו אוספים את המידע האישי שאתם מוסרים לנו."),
        ("", "404"),
        ("", ""),
        ("", "Lorem ipsum dolor amet consectetur adipiscing elit"),
    ],
)
def test_detect(language: str, text: str) -> None:
    """A sentence tells its language, a number tells none."""
    assert detect(text) == language


@pytest.mark.parametrize(
    ("tag", "code"), [("en-US", "en"), ("pt_BR", "pt"), ("nb", "no"), ("", ""), ("DE", "de")]
)
def test_primary(tag: str, code: str) -> None:
    """Regions do not count."""
    assert primary(tag) == code
