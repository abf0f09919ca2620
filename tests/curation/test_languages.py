"""The language of an answer: told where it is plain, and not told where it is not."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bench.scrub_corpus import unmarked
from curation.languages import LEAST_WORDS, NAMES, language_of

ANSWERS = {
    "ar": "يمكنك إعادة المنتج خلال ثلاثين يوما.",
    "cs": "Zboží můžete vrátit do třiceti dnů. Pokud je to pro vás lepší, jsme tu od pondělí.",
    "da": "Du kan sende varen tilbage inden for 30 dage. Hvad vil du have, at vi gør efter det?",
    "de": "Du kannst die Ware innerhalb von 30 Tagen zurückgeben. Bitte leg die Rechnung mit in das Paket.",
    "el": "Μπορείτε να επιστρέψετε το προϊόν.",
    "en": "You can send it back within 30 days. Please put the invoice in the box and we will do the rest.",
    "es": "Puedes devolver el producto en un plazo de 30 días. Por favor, incluye la factura en la caja.",
    "fi": "Voit palauttaa tuotteen 30 päivän kuluessa. Jos se on rikki, niin kerro meille myös siitä.",
    "fr": "Vous pouvez renvoyer le produit dans les 30 jours. Merci de mettre la facture dans votre colis.",
    "he": "אפשר להחזיר את המוצר תוך שלושים יום.",
    "it": "Puoi restituire il prodotto entro 30 giorni. Per favore metti anche la fattura nella scatola.",
    "ja": "商品は30日以内に返品できます。",
    "ko": "30일 이내에 반품하실 수 있습니다.",
    "nb": "Du kan sende varen tilbake innen 30 dager. Hva vil du at vi skal gjøre etter det?",
    "nl": "Je kunt het product binnen 30 dagen terugsturen. Doe ook de factuur in de doos, dan doen wij de rest.",
    "pl": "Towar możesz zwrócić w ciągu 30 dni. Jeśli nie masz faktury, to napisz do nas.",
    "pt": "Você pode devolver o produto em 30 dias. Por favor, coloque também a nota na caixa.",
    "ru": "Вы можете вернуть товар в течение тридцати дней.",
    "sv": "Du kan skicka tillbaka varan inom 30 dagar. Vad vill du att vi ska göra efter det?",
    "th": "คุณสามารถคืนสินค้าได้ภายในสามสิบวัน",
    "tr": "Ürünü 30 gün içinde iade edebilirsiniz. Lütfen faturayı da kutuya koyun, sonra her şey bize ait.",
    "uk": "Ви можете повернути товар протягом тридцяти днів, якщо він цілий.",
    "zh": "您可以在三十天内退货。",
}


def test_every_language_that_can_be_asked_for_has_an_answer_here():
    assert ANSWERS.keys() == NAMES.keys()


@pytest.mark.parametrize("code", ANSWERS)
def test_an_answer_of_one_or_two_sentences_is_told(code: str):
    assert language_of(ANSWERS[code]) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "👍 42 %",
        "OK!",
        "Order 88120, Main Street 5",
        "https://the.example.com/and/you/for/this/that",
        "`the and of you that`",
        "the-of.and_you@for.example",
        "a a a a a a",
        "key=a/de/por_un",
        "Можно",
        "شما می‌توانید کالا را پس بدهید.",
    ],
    ids=[
        "empty",
        "signs",
        "one-word",
        "address",
        "link",
        "code",
        "mail",
        "one-word-often",
        "key",
        "no-letter-of-its-own",
        "Persian",
    ],
)
def test_what_is_too_short_or_unknown_is_not_told(text: str):
    assert language_of(text) is None


def test_three_small_words_are_the_least():
    assert language_of("Thank you for this") == "en"
    assert language_of("Thank you always for") is None
    assert LEAST_WORDS == 3


def test_what_two_languages_share_decides_nothing_between_them():
    assert language_of("Jeg har det og kan det") is None  # Danish and Norwegian


def test_a_link_or_a_name_changes_nothing():
    assert language_of(f"{ANSWERS['de']} https://the.example.com/of/and/you?to=that") == "de"


def test_no_message_of_the_corpus_is_told_wrongly():
    # Short messages of people, most of them under ten words: none wrong, many not told. See tests/curation/corpus/README.md.
    told: Counter[bool] = Counter()
    for line in (Path(__file__).parent / "corpus" / "open.jsonl").read_text().splitlines():
        row = json.loads(line)
        found = language_of(unmarked(row["text"])[0])
        if found is not None:
            told[found == {"no": "nb"}.get(row["lang"], row["lang"])] += 1
    assert told[False] == 0
    assert told[True] >= 40
