"""Names that are words, too, and words inside names: what keeps "Will this work?" from being about Will Carter.

English, German, French, Spanish, Italian, Dutch and Swedish; written down by hand, so never complete.
"""

_TEXT = """
will mark grace rose may june april august summer autumn hope faith joy bill frank art rich rob pat jack drew chase
grant miles dean earl gene guy jay lance max nick ray rod ross sky wade ward jean dawn eve ivy iris lily pearl ruby
violet melody harmony charity destiny angel crystal amber ginger olive penny robin sandy star stella sunny brook
heather holly hazel daisy hill west east north south fox stone wood woods field fields long short young old small
little white black brown green gray grey gold silver king knight bishop pope prince duke page cook baker carpenter
mason smith taylor turner walker hunter fisher potter marsh lake rivers banks bush day week price cash sale bell
ball bird case church cross ford glass hall hand house law lane lock love major moon moss pool power reed rice rush
sharp speed spring street sweet swift way wise best close cox drake stein vogel wolf fuchs klein gross groß große
grosse lang kurz jung alt alter neu weiß weiss schwarz braun roth rot grün berg wald bach feld stark reich richter
könig kaiser schmidt bauer koch schneider weber müller mueller winter sommer sonntag freitag ernst heide linde engel
herr frau stern baum kraft kern post haus horn petit grand leblanc lenoir roux blanc noir brun bon moulin fontaine
roi martin fleur lange marin mercier boucher rojas luna sol flores cruz reyes campos rios ríos vega prado leon león
rey blanco negro rubio moreno calle mar ángel neri bianchi rossi verdi conti costa monti riva serra boer bakker
visser groot jong lind ek sten
"""
_PARTICLES = (
    "de da do dos del della di van von vom zu der den ten ter bin ibn abu al el la le las los y e und and mc mac"
)

NAMES_THAT_ARE_WORDS = frozenset(_TEXT.split())
PARTICLES = frozenset(_PARTICLES.split())
