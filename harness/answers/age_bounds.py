"""Words that leave one end of an age open, or deny it, in the languages that replies come in.

"Over 60", "mindestens 60", "plus de 60 ans" and 60岁以上 allow 60 and more; "under 30", "höchstens 30" and 不到30岁 30 and
less. "Not over 40" turns "over" around. "Nicht 34", "no tiene 34 años", 不是34岁 and 34歳ではない say what the age is not.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from harness.answers.pattern import pattern

End: TypeAlias = Literal["least", "most"]
"""Which end of the ages a number is: the least that is allowed, or the most."""

_AHEAD = 32
"""Characters behind a number that are looked at."""
_FILL = (
    r"(?:an?|any|most|many|typical|average|the age of|the ripe age of|age|his|her|their|the|about|around|approximately|roughly|etwa|ungefähr|rund|die|den|der|les|l'âge de|ses|sus|seine|ihre|environ|los|las|unos"
    r"|unas|i|os|as|cerca de|circa|примерно|около)"
)
_LEAST_BEFORE = pattern(
    r"(?:\b(?:over|above|beyond|past|after|older than|more than|greater than|at least|no younger than|not younger than"
    r"|no less than|not less than|upwards of|in excess of|exceed(?:s|ing)?|north of|wrong side of"
    r"|(?:^|(?:aged|ages|starting) )from|starting at|min(?:imum)?\.?(?: of| is)?:?"
    r"|über|ueber|älter als|aelter als|mehr als|mindestens|wenigstens|ab|jenseits (?:der|von)|minimal"
    r"|plus de|plus âgée? (?:que|de)|au moins|au minimum|à partir de|dépasse|au[ -]delà de|au[ -]dessus de"
    r"|más de|mas de|mayor(?:es)? (?:de|que)|al menos|por lo menos|como mínimo|mínimo(?: de)?|a partir de|super[ao]|pasa de|por encima de"
    r"|più di|oltre|almeno|minimo|sopra|più (?:vecchi[oa]|anzian[oa]) di|a partire da|maggiore di"
    r"|mais de|acima de|pelo menos|ao menos|no mínimo|maior (?:de|que)|mais velh[oa] (?:do )?que"
    r"|за|старше|больше|более|свыше|(?:как )?минимум|не (?:моложе|младше|менее|меньше))"
    rf"[ -](?:{_FILL} )*"
    r"|(?:(?<!<)\bage ?|(?<![\w=-]))[>≥]=? ?"
    r"|(?:超过|超過|大于|大於|高于|高於|多于|多於|不止|不小于|不低于|不少于|至少|最少|起码|年过|年過|最低でも|少なくとも|최소|적어도)[了有是]? ?(?:大?约)? ?)$"
)
_MOST_BEFORE = pattern(
    r"(?:\b(?:under|below|before|until|short of|shy of|younger than|less than|at most|no older than|not older than|up to"
    r"|no more than|not more than|south of|right side of|sub|pre|max(?:imum)?\.?(?: of| is)?:?"
    r"|unter|jünger (?:aus )?als|juenger als|weniger als|höchstens|hoechstens|maximal|bis(?: zu)?|noch keine|noch nicht"
    r"|moins (?:de|que)|plus jeune (?:que|de)|au plus|au maximum|jusqu'à|en[ -]dessous de"
    r"|(?:menos|más joven) (?:de|que)|menor(?:es)? (?:de|que)|como mucho|a lo sumo|como máximo|máximo(?: de)?|hasta|por debajo de"
    r"|meno di|al massimo|sotto|fino a|più giovane di|minore di|massimo"
    r"|abaixo de|no máximo|até|menor (?:de|que)|mais nov[oa] (?:do )?que"
    r"|младше|моложе|меньше|менее|до|максимум|не (?:старше|более|больше))"
    rf"[ -](?:{_FILL} )*"
    r"|(?:(?<![</])\bage ?|(?<![\w=-]))[<≤]=? ?"
    r"|(?:不到|未到|没到|沒到|未满|未滿|不满|不滿|不足|小于|小於|低于|低於|少于|少於|没有|沒有|不超过|不超過|不大于|不高于|不多于|至多|最多|顶多|頂多"
    r"|せいぜい|多くても|최대|많아야) ?(?:大?约)? ?)$"
)
_BARELY = pattern(
    r"\b(?:just|slightly|a little|a bit|barely|a shade|marginally|knapp|etwas|kurz|un peu|à peine|un poco|poco|apenas|pouco|leggermente|чуть)(?: \w+)? $"
)
_TURNED = pattern(
    r"(?:\b(?:not|never|no|hardly|cannot|\w+n't|nicht|kaum|keinesfalls|pas|jamais|non|não|nem|не)"
    r"(?: (?:be|look|seem|appear|to|much|far|a|an?|any|at all|really|quite|yet|day|think|believe|that|he|she|they|is|are|aussehen|viel|wesentlich|mucho|creo|que|tiene|tenga|parece|ha|tem))*"
    r" |[不没沒](?:会|會|可能|像|是|有)?)$"
)
_LEAST_AFTER = pattern(
    r" ?\+(?! ?[/-])| ?(?:<=?|≤) ?(?=age\b)|,? (?:years? )?(?:or|and) (?:older|over|above|up|upwards?|more|beyond)\b|,? (?:years? )?plus(?! ?/| or minus| minus)\b"
    r"| (?:at (?:the )?least|minimum|upwards?|onwards?|aufwärts|und (?:älter|mehr|darüber)|oder (?:älter|mehr)|(?:ou|et) (?:plus|davantage)"
    r"|passés?|révolus|[oy] más|en adelante|e oltre|o più|ou mais|e mais|и (?:старше|более)|или больше)\b"
    r"| ?(?:以上|이상|초과|出头|出頭|多|开外|開外|往上|余)|(?:を|は|も)?(?:かなり|とうに|はるかに)?(?:超え|越え|過ぎ|すぎ)"
    r"|より(?:も)?(?:少し|やや|かなり|ずっと)?(?:上|年上|老|年を)|(?:을|를|이|가|은|는)? ?(?:훌쩍 )?(?:넘|지났)|보다 (?:훨씬 |조금 |약간 |더 )*(?:많|위|늙|나이)"
)
_MOST_AFTER = pattern(
    r" ?(?:>=?|≥) ?(?=age\b)|,? (?:years? )?(?:or|and) (?:younger|under|below|less)\b"
    r"| (?:tops|at (?:the )?most|maximum|max|und (?:jünger|darunter)|oder (?:jünger|weniger)|höchstens|(?:ou|et) moins|au plus|o menos|como máximo"
    r"|o meno|ou menos|или (?:младше|меньше))\b"
    r"| ?(?:以下|未満|未满|未滿|以内|이하|미만|不到|往下)|より(?:も)?(?:少し|やや|かなり|ずっと)?(?:若|年下|下)"
    r"|に(?:は)?(?:満た|届か|達し(?:て)?(?:い)?な)|보다 (?:훨씬 |조금 |약간 |더 )*(?:어|젊|아래|적)|(?:이|가|도)? ?(?:안 ?된|안 ?되|채 안)"
)
_TURNED_AFTER = pattern(
    r"(?:て|って)?(?:では|じゃ|とは|は)?(?:(?:い)?な[いく]|(?:い)?ません|ありません)(?!(?:です|でしょう|だろう)?か)|지(?:는|도)? (?:않|못)"
)

_ONE = r"(?:an?|ein(?:e[rnms]?)?|une?|una?|um|uma|uno|mann|frau|person|mensch|homme|femme|personne|enfant|hombre|mujer|persona|niñ[oa]|uomo|donna|homem|mulher|pessoa|de|d'|di|von|um)"
_NOT_BEFORE = pattern(
    rf"(?:\b(?:nicht|kein(?:e[nmrs]?)?|nie(?:mals)?|weder|statt|anstatt|anstelle von|keineswegs)(?: (?:{_ONE}|ganz|genau|mehr|wirklich|unbedingt|etwa|ungefähr|wie|aus|erst|einmal|mal|schon|die))*"
    rf"|(?<!pourquoi )\b(?:pas|jamais|ni|et non|au lieu de|plutôt que|à la place de)(?: (?:{_ONE}|encore|tout|à|fait|exactement|vraiment|du|forcément|environ|les|ses|pas))*"
    rf"|\b(?:no|tampoco|nunca|en (?:lugar|vez) de)(?: (?:{_ONE}|tiene|tener|tendría|tenga|parece|aparenta|aparentar|es|sea|llega|a|los|las|exactamente|creo|que|todavía|aún|con|unos|en|sus))*"
    rf"|\b(?:non|né|mai|invece di|anziché|piuttosto che)(?: (?:{_ONE}|ha|è|ne|ancora|sembra|dimostra|avere|abbia|esattamente|proprio|credo|che|i|gli))*"
    rf"|\b(?:não|nem|em vez de)(?: (?:{_ONE}|tem|ter|teria|tenha|parece|aparenta|é|seja|exatamente|acho|que|ainda))*"
    r"|\b(?:не|вместо)(?: (?:на|похож\w* на|выглядит на|совсем|ровно|около))*"
    r"|\b(?:en los|in den|dans les|nei|nos)"
    r"|\beher\b[^.;\n]{1,24} als|\bplutôt\b[^.;\n]{1,24} que|\bmás bien\b[^.;\n]{1,24} que) $"
    r"|(?:不是|并非|並非|绝非|絕非|而非|不像是?|不可能是?|并不是?|並不是?|不会是?|不會是?|比[^\d,.;\n]{0,8}|与其说是?|與其說是?) ?(?:大?约|一个|一位|个|有)? ?$"
)
_NOT_AFTER = pattern(
    r"[ .?!]{1,3}(?:no|nope|nah|nein|non)(?= ?[.,;!\n]| ?$)"
    r"|(?:くらい|ぐらい|前後|程度)?(?:では|じゃ|には|に|とは|でも)(?:な[いく]|ありません|見え(?:ない|ません|ず)|思え(?:ない|ません)|思わ(?:ない|れない))(?!(?:です|でしょう|だろう)?か)"
    r"|(?:という)よりも?"
    r"|(?:이|가|은|는|로는|쯤은|까지는|처럼은)? ?(?:아니[^ㄹ]|아닙|아닌(?!가|지)|보이지(?:는|도)? 않|보이진 않|같지(?:는)? 않)"
)

_YEARS_AGO = pattern(
    r"(?:\b(?:vor|seit|während|nach|il y a|depuis|pendant|durant|après|hace|durante|tras|há|faz|dopo)"
    r"(?: (?:etwa|rund|gut|fast|über|mehr als|environ|plus de|près de|unos|casi|más de|cerca de|circa|mais de))* "
    r"|\b(?:foto|bild|aufnahme|photo|image|imagen|immagine|imagem|fotografía) (?:ist|hat|a|tiene|ha|tem)(?: (?:etwa|rund|über|environ|unos|circa|cerca de))* "
    r"|(?:年轻|年輕|[小老]|大(?!约|約))了?(?:大约|约)?)$"
)
_YEARS_LESS = pattern(
    r" (?:jünger|älter|zuvor|später|früher|her|lang|de (?:moins|plus)|plus (?:jeune|âgée?|vieux|vieille|tard|tôt)|auparavant|avant|après"
    r"|más (?:joven|viej[oa]|mayor|tarde)|menor|mayor|menos|atrás|después|antes|fa|più (?:giovane|vecchi[oa]|tardi)|in (?:meno|più)"
    r"|mais (?:nov[oa]|velh[oa])|a (?:menos|mais)|назад|младше|моложе|старше)\b|(?:も|ほど|くらい|ぐらい)?(?:若[くい]|年上|年下)|(?:쯤|정도)? ?(?:어려|젊어|많아|연상|연하)"
)


def open_before(before: str) -> End | None:
    """The end that the words before a number make it ("over": the least); None where they leave it as it is ("just over")."""
    least, most = _LEAST_BEFORE.search(before), _MOST_BEFORE.search(before)
    words = min(filter(None, (least, most)), key=lambda one: one.start(), default=None)
    if words is None:
        return None
    lead = before[: words.start()]
    if _BARELY.search(lead):
        return None
    turned = bool(_TURNED.search(lead)) and not words.group().startswith(("no ", "not "))
    return "least" if (words is least) != turned else "most"


def open_after(text: str, at: int) -> tuple[End, int] | None:
    """The end that the words behind a number make it ("or older"), and where they end."""
    stop = at + _AHEAD
    least, most = _LEAST_AFTER.match(text, at, stop), _MOST_AFTER.match(text, at, stop)
    words = least or most
    if words is None:
        return None
    turned = _TURNED_AFTER.match(text, words.end(), words.end() + _AHEAD) is not None
    return ("least" if (least is not None) != turned else "most"), words.end()


def denied_abroad(text: str, before: str, end: int) -> bool:
    """Whether a number is denied in another language than English, or by a "no" behind it."""
    return (
        _NOT_BEFORE.search(before) is not None
        or _NOT_AFTER.match(text, end, end + _AHEAD) is not None
    )


def span_abroad(text: str, before: str, end: int) -> bool:
    """Whether a number of years is a span of time, or the age of a picture, in another language than English."""
    return (
        _YEARS_AGO.search(before) is not None
        or _YEARS_LESS.match(text, end, end + _AHEAD) is not None
    )
