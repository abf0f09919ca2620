"""Words that say how something is asked, not what. Only lists: curation.recall.words reads by them."""


def listed(words: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(words.split())


ENGLISH = listed(
    "a about after all also am an and any anybody anyone are as at be because been before but by can cannot could "
    "did do does doing done for from get gets getting go goes going got had has have having he her here him his "
    "how i if im in into is it its ive just let like may me mine might must my need no not now of on or our out "
    "over own please s shall she should so some somebody someone than that the their them then there these they "
    "thing things this those to too up us use used want was way we were what whats when where wheres which who "
    "whos why will with without wont would you your yours t re ll d m cant dont doesnt isnt arent couldnt didnt "
    "wasnt werent hasnt havent id"
)
COURTESY = listed(
    "bye cheers cool good great haha hello hey hi hmm lol morning evening nice ok okay thank thanks thx wow yeah "
    "yep yes sorry welcome nevermind mind"
)
# The commonest of German, Spanish, French, Italian, Portuguese and Dutch, so that two questions are not alike because both are in
# Spanish.
OTHERS = listed(
    "aber auf aus bei bitte das dass dem den der des die ein eine einem einen einer er es für gibt habe hat ich "
    "ihr im ist kann kannst können man mein meine meinen mich mir mit möchte nach nicht oder sie sind und von "
    "warum was wenn wer wie wird wo zu zum zur al algo como cómo con cual cuál cuando cuándo de del donde dónde "
    "el ella en esta está este hago hay la las lo los me mi mis muy no o para pero por porque puedo que qué quién "
    "quiero se si sí sin su te tengo un una y yo à au aux avec ce ces cette comment dans du elle est et je l le "
    "les leur ma mais mes mon ne nous on où ou par pas peut peux pour pourquoi puis quand quel quelle qui sa son "
    "sont sur une vous che chi come cosa di dove e gli i il io mio nel non per perché posso quale quando sono sul "
    "uno ao as com da do em eu isso meu minha na não nos os pelo pode qual quem são seu sua um uma aan als dat "
    "een het hoe ik in is kan met mijn naar niet of om op van voor waar wat we wel"
)
# "one" is missing: it is a pronoun more often than a number.
NUMBER_WORDS = {
    **{
        "zero": "0",
        "two": "2",
        "three": "3",
        "four": "4",
        "five": "5",
        "six": "6",
        "seven": "7",
        "eight": "8",
        "nine": "9",
    },
    **{
        "ten": "10",
        "eleven": "11",
        "twelve": "12",
        "second": "2",
        "third": "3",
        "fourth": "4",
        "fifth": "5",
        "sixth": "6",
    },
    **{"seventh": "7", "eighth": "8", "ninth": "9"},
}
