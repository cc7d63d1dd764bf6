"""What the words around a number say of it: an age, a limit, a span of time, the age of a thing, or something else."""

from __future__ import annotations

from harness.answers.age_bounds import denied_abroad, span_abroad
from harness.answers.pattern import pattern

BACK = 64
"""Characters before an expression that are looked at."""
_AHEAD = 48
"""Characters behind it."""

_HEDGES = (
    r"(?:about|around|approximately|approx\.?|roughly|circa|ca\.?|some|nearly|almost|maybe|perhaps|possibly|probably"
    r"|likely|somewhere|most|just|still|now|already|well|easily|only)"
)
_THINGS = (
    r"(?:jacket|shirt|t-shirt|coat|dress|suit|hat|cap|tie|clothes|clothing|outfit|uniform|jersey|sweater|hoodie|shoes?"
    r"|glasses|watch|ring|beard|moustache|mustache|hair|haircut|hairdo|hairstyle|tattoo|scar|style|fashion|vibe|look"
    r"|era|music|song|film|movie|show|sitcom|band|album|photo|photograph|picture|image|portrait|painting|snapshot|selfie"
    r"|video|frame|camera|phone|laptop|computer|car|truck|bike|house|building|church|tree|wine|whisky|whiskey|dog|cat"
    r"|horse|pet|puppy|kitten|model|software|data ?set|book|novel|magazine|company|brand|makeup|furniture|sofa|chair"
    r"|background|decor|theme|costume|poster|technology|quality|filter|tv|television|carpet|design|pattern|print"
    r"|sunglasses|jeans|perm|mullet|necklace|earrings?|pop|rock|disco|star)s?\b"
)
_THING_BEFORE = pattern(
    rf"\b{_THINGS} (?:is|are|was|were|looks?|seems?|appears?)(?: to be)?(?: (?:{_HEDGES}|at least|over|more than))*[ ~]{{1,2}}$"
)
_HOLDS_THING = pattern(
    r"\b(?:in|with|wearing|of|on|from|behind|beside|near|by|has|having|whose)(?: [\w-]+){0,3} $"
)
_THING_AFTER = pattern(rf"[- ](?:\w+ ){{0,1}}{_THINGS}")
_DENIED = pattern(
    r"\b(?:(?:not|no longer|never|hardly|scarcely|cannot|\w+n't|nowhere|far|unlike|neither|nor|(?<!a )(?<!no )doubt)"
    r"(?: (?:yet|an?|even|quite|in|his|her|their|the|look|looking|seem|appear|be|to|really|exactly|near|close|from|than"
    r"|of|as|child|kid|person|man|woman|boy|girl|adult|aged?|at|about|around|like|necessarily|him|still|being|been"
    r"|certainly|definitely|think|believe|say|suppose|that|he|she|they|it|is|are|was|would|day))*|anything but|nothing like(?: an?)?) $"
)
_BETTER = pattern(
    r"\b(?:when (?:he|she|they) w(?:as|ere)|compared (?:to|with)|versus|vs\.?|than|instead of|opposed to) (?:an? |the |his |her )?$"
)
_OLDER = pattern(r"\b(?:older|younger|more|less|greater|fewer|higher|lower) than $")
_LEFT = pattern(
    r"\b(?:left|leaving|exit(?:ed|ing)?|out of|past|beyond|after|before|outgrown|outside|entering|approaching|(?:end|start|beginning|verge|half|brink) of)"
    r" (?:behind )?(?:of )?(?:his |her |their |the |my )?$"
)
_TIMES = pattern(
    r"(?:%|\bpercent) of $|\b(?:half|twice|thrice|double|triple|thirds?|quarters?|times)(?: (?:of|as|old|young|the|age|his|her|their|that|an?))* $"
)
_OTHER_AGE = pattern(
    r"\b(?:minimum|maximum|min|max|legal|drinking|voting|required|average|median|mean|retirement|mental|school|driving"
    r"|bone|consent|biological)(?: permitted| allowed| required)? age(?: of \w+)?(?: (?:is|of|was|would be|limit|at|being))*[ :=]*$"
    r"|\bage[ _-](?:min(?:imum)?|max(?:imum)?|lower|upper|low|high)(?:[ _-](?:bound|limit|end))?[ :=]*$"
)
_TOLERANCE = pattern(
    r"(?:\b(?:give or take|plus or minus|plus/minus|margin(?: of(?: error(?: of)?)?)?|error(?: margin)? of|uncertainty of"
    r"|(?:standard )?deviations?(?: of| is)?|std(?: dev)?\.?(?: of)?|s\.?d\.?(?: of)?|sigma(?: of)?|variance of|differences? of"
    r"|gap of|differ by|off by|by|within(?: a)?|confiden(?:ce|t)(?: level| score)?(?: is| of)?)[ :=]{1,2}"
    rf"(?:{_HEDGES} |~ ?)?|(?:\+/-|±|\+-) ?)$"
)
_SPAN_BEFORE = pattern(
    r"\b(?:for|over|past|last|next|after|within|during|spent|spends|served|worked|works|taken?|took|takes|lasted|lasting"
    r"|every|another|additional|extra|add|adding|added|subtract|minus|has|had|have|with|since|in|ago|been|married|smoked"
    r"|lived|trained|studied|sober|retired|together|lost|gained|shaved?|shaves|off)"
    rf" (?:the |a |his |her |their )?(?:last |past |next |good |full |whole |further )?(?:{_HEDGES} |over |more than |at least |~ ?)*$"
)
_GO_FOR = pattern(r"\b(?:go|going|goes|opt|settle|vote|went|bet)(?: \w+)? for (?:\w+ )?$")
_SPAN_AFTER = pattern(
    r"[- ]{1,2}(?:younger|older|ago|before|after|apart|later|earlier|hence|short|shy|away|past|from|beyond|ahead|prior"
    r"|more|less|margin|either way|in (?:either|each) direction|difference|gap|range|window|span|interval|bracket"
    r"|age (?:range|gap|difference|window|span|bracket|interval)|(?:his|her|their|my|your|\w+'s) (?:senior|junior)|too)\b"
)
_RANGE_NOUN = pattern(r"[- ]{1,2}(?:age )?(?:range|window|span|interval|bracket)\b")
_YEARS_OF = pattern(
    r" (?:of (?!age\b)\w|(?:at|in (?!age\b)|on|as|since|behind|under|into|back|worth|working|married|together|sober|left"
    r"|until|till|for)\b|(?:experience|service|marriage|career|sentence|anniversary|pregnant))"
)
_YEAR_NOUN = pattern(r"[- ]{1,2}[a-z]{3,}")
_MARK = pattern(r"[- ](?:mark|old)\b")
_MAY = pattern(
    r"(?: years?(?: old)?| or older)? to (?:drink|vote|enter|buy|drive|smoke|use|view|purchase|register|play|gamble|rent)\b"
)
_EXAMPLE = pattern(r"(?:\be\. ?g\.?|\bfor example|\bfor instance),? (?:an? |about )?$")
_LABEL = pattern(
    r"\b(?:gpt|version|v|number|no|nr|num|group|class|grade|level|type|row|item|case|sample|channel|room|page|line|chapter"
    r"|section|question|q|rank|score|index|id|jersey|shirt|player|team|category|stage|phase|round|attempt|point|points"
    r"|confidence|probability|certainty|likelihood|accuracy|temperature|height|weight|size|count|total|wrinkles?|faces?"
    r"|people|persons|seed|layer|code|bus|route|highway|area|apollo|channel|lens|iso|cluster|bin|bucket|tip|rule"
    r"|(?:jersey|shirt|sign|clock|badge|label|cap|watch) (?:says|reads|shows)|table|slide|track|episode|season|exhibit"
    r"|appendix)s?(?: (?:is|are|of|at|was))?[ :=#.]{0,3}$"
    r"|\b(?:subject|patient|participant|individual|model|frame|photo|image|picture|figure|step|option|part)s?[ #]{1,2}$"
)
_KEY = pattern(r"[{,\n]\s*([a-z][\w -]{0,30}?)\s*[:=][\s\[(]*$")
_AGE_KEY = pattern(
    r"age|year|estimat|guess|answer|predict|result|value|final|output|response|total|old|range|min|max|low|high|about|say|best|likely|point|mean|median|wait|correction|rather|actually"
)
_FOLLOW = pattern(
    r" {0,2}(?:(?:and|or|but|though|although|however|to|maybe|perhaps|probably|possibly|most|likely|at|is|was|give|plus"
    r"|based|since|because|as|given|in|on|so|if|would|seems?|looks?|looking|appears?|with|without|rather|not|leaning|range|ranges|mark|area"
    r"|years?|yrs?|male|female|man|woman|boy|girl|person|gentleman|lady|guy|m|f|i|he|she|they|it|you"
    r"|bracket|band|group|category|age|old|ish|something|due|judging|although|while|when|than|then|yet|too|or so|also"
    r"|just|by|from|for|instead|unlike|compared|versus|vs|considering|today|now|here|max|right|will|might|may|could|can|the|this|that|his|her|their|my"
    r"|per|according|which|who|whose|where|approximately|roughly|about|around|circa|maximum|until|through|until|again|indeed"
    r"|más|mas|aprox\w*|environ|peut-être|ungefähr|statt|anstatt|au lieu|en vez|pas|nicht|ou|et|und|oder|bis|schätzen|würde|schätze|geschätzt|лет|или|[a-z]{3,}ly|(?!earring|ring|king|string|wing)[a-z]{2,}ing)\b"
    r"|(?:くらい|ぐらい|左右|前後|정도|쯤|上下)|[a-z_ ]{2,20}[:=]|(?:[a-z]+ ){1,2}(?:male|female|man|woman|boy|girl|gentleman|lady)\b)"
)
_NOUN = pattern(
    r" {1,2}(?!years?\b|years\b|looks\b|seems\b|appears\b|as\b|is\b|was\b|this\b|his\b|plus\b|perhaps\b|ranges\b|yrs\b)[a-z]+s\b"
)
_PERSONS = pattern(r" {1,2}(?:person|man|woman|boy|girl|gentleman|lady|guy|other|more|of)\b")
_LEAD = pattern(
    r"[\s:=(\[{<>]*(?:(?:in|about|around|approximately|roughly|probably|likely|perhaps|maybe|his|her|their|the|an?|between"
    r"|from|of|is|somewhere|most|age|aged|early|mid|late)[ -]{1,2}){0,6}[\s(\[~]*"
)
_HEDGED = pattern(
    rf"\b(?:{_HEDGES}|is|looks|seems|appears|be|say|guess|estimate|aged?|of|i'd|he's|she's)[ ~]{{1,2}}$|[~≈] ?$"
)
_WHOSE = pattern(
    rf"\b(?:in|into|through|of|between|to|or|and|-) (?:his/her|his or her|(?:hi|he|thei)(?:s|r)|one's|my|your|possibly|perhaps|early|late|{_HEDGES})[ ]$"
    rf"|\b(?:is|are|he's|she's|seems?|looks?|appears?|be|say|guess|estimate|range|between|ages?|aged|person|man|woman|in|male|female)"
    rf"(?: (?:to be|to|in|within|the|his|her|their|an?|{_HEDGES}))* ?[~ ]$|\b{_HEDGES}(?: (?:in|the))* $"
)
_OF_TIME = pattern(
    r"\b(?:from|since|during|style|styled|taken|shot|made|born|back|popular|fashion|era|music|of|hair|like|film|looks?|trend|trends"
    r"|dressed|vintage|retro|circa|photo|wearing|hit|straight|typical|out|photographed|filmed|movie|songs?|show)"
    r"(?: (?:in|out|of|from|the|a|early|mid|late))* ?'?$"
)
_IN_THE = pattern(r"\bin the (?:early |mid |late )?$")
_LINKED = pattern(
    r"\b(?:him|her|them|is|are|he's|she's|seems?|looks?|appears?|be|man|woman|person|male|female|boy|girl|ages?|aged|guess|say|"
    rf"estimate|{_HEDGES})(?: (?:to be|{_HEDGES}))* in the $"
)
_JOINED = pattern(
    r"(?:\d0'?s|ies|teens) ?(?:to|or|and|-|/|~|through)(?: (?:in|his|her|their|the|possibly|perhaps|maybe|probably|even))* ?$"
)
_RANGING = pattern(
    r"\b(?:rang\w+|anywhere|anything|ages?|aged|somewhere)(?: \w+)? from (?:the |his |her |their )?$"
)


def answers_anchor(text: str, begin: int, start: int) -> bool:
    """Whether an expression stands straight behind the anchor that ends at `begin`."""
    return 0 < begin <= start <= begin + BACK and _LEAD.fullmatch(text, begin, start) is not None


def hedged(before: str) -> bool:
    """Whether "about", "is" and the like stand straight before."""
    return _HEDGED.search(before) is not None


def of_a_thing(text: str, before: str, end: int, *, adjective: bool) -> bool:
    """Whether it is the age of a jacket, a photo or another thing."""
    if adjective and _THING_AFTER.match(text, end, end + _AHEAD):
        return True
    found = _THING_BEFORE.search(before)
    return found is not None and not _HOLDS_THING.search(before[: found.start()])


def denied(text: str, before: str, end: int) -> bool:
    """Whether it is named as what the age is not, or as a part or a multiple of it."""
    tail = text[end : end + 8]
    if tail.startswith(" than ") and before.endswith(("closer to ", "nearer to ", "nearer ")):
        return True
    if before.endswith("than ") and _OLDER.search(before):
        return False
    return any(p.search(before) for p in (_DENIED, _BETTER, _TIMES)) or denied_abroad(
        text, before, end
    )


def another_number(before: str) -> bool:
    """Whether it is a tolerance, a confidence, an example, or an age that is not the person's ("minimum age")."""
    return any(p.search(before) for p in (_TOLERANCE, _OTHER_AGE, _EXAMPLE))


def other_age(before: str) -> bool:
    """Whether the words lead to an age that is not the person's ("the minimum age is")."""
    return _OTHER_AGE.search(before) is not None


def span_of_time(text: str, before: str, end: int, unit: str, *, ranged: bool) -> bool:
    """Whether a number with its unit is a length of time: "for 10 years", "20 years of smoking", "a 10-year career".

    `ranged`: it is a range of numbers, so that "25-30 age range" is one of ages.
    """
    if _MAY.match(text, end, end + _AHEAD) or (not ranged and span_abroad(text, before, end)):
        return True
    if _SPAN_AFTER.match(text, end, end + _AHEAD):
        return not (ranged and _RANGE_NOUN.match(text, end, end + _AHEAD))
    core = unit.strip(" -.")
    if core not in {
        "year",
        "years",
        "yr",
        "yrs",
        "month",
        "months",
        "week",
        "weeks",
        "day",
        "days",
    }:
        return False
    if _YEARS_OF.match(text, end, end + _AHEAD):
        return True
    if (
        core in {"year", "yr"}
        and not _MARK.match(text, end)
        and _YEAR_NOUN.match(text, end, end + _AHEAD)
    ):
        return True
    return _SPAN_BEFORE.search(before) is not None and not _GO_FOR.search(before)


def counts_something(text: str, before: str, end: int, *, sure: bool) -> bool:
    """Whether a number without a unit numbers or counts something: "Group 5", "3 faces", "confidence: 0.8".

    `sure`: it stands behind the field's name or "aged", so that only a plural behind it makes it a count.
    """
    if sure:
        return (
            _NOUN.match(text, end, end + _AHEAD) is not None
            and _FOLLOW.match(text, end, end + _AHEAD) is None
        )
    if _LABEL.search(before):
        return True
    key = _KEY.search(before)
    if key is not None and not _AGE_KEY.search(key[1]):
        return True
    after = text[end : end + 3].lstrip(" ")
    word = text[end : end + 1].isalpha() or (len(after) < 3 and after[:1].isalpha())
    return word and _FOLLOW.match(text, end, end + _AHEAD) is None


def small_count(text: str, before: str, end: int) -> bool:
    """Whether a bare number below ten inside a sentence counts or numbers something: "1 person", "Gate 9"."""
    if _PERSONS.match(text, end, end + _AHEAD):
        return True
    return before.rstrip(" ")[-1:].isalpha() and not hedged(before)


def decade_of_age(text: str, before: str, end: int, *, part: bool) -> bool:
    """Whether a decade is one of life ("in her 30s", "30s, I think"), not of a century ("90s clothes").

    `part`: it has "early", "mid" or "late".
    """
    if _THING_AFTER.match(text, end, end + _AHEAD):
        return False
    follows = text[end : end + 4]
    ranges = follows.startswith((" to ", "-", " - "))
    if _OF_TIME.search(before) and not (ranges or _RANGING.search(before)):
        return False
    if ranges and before.endswith("from "):
        return True
    if _IN_THE.search(before) and not part and not _LINKED.search(before):
        return not before[: -len("in the ")].strip(" \n\"'(")
    if part or _WHOSE.search(before) or _JOINED.search(before):
        return True
    lead = before.rstrip(" ")
    opens = not lead or lead[-1] in "\n,.;:!/([{-\"'"
    after = text[end : end + 2].lstrip(" ")[:1]
    return opens and (not after.isalpha() or _FOLLOW.match(text, end, end + _AHEAD) is not None)


def left_behind(before: str) -> bool:
    """Whether a decade is said to be over, or yet to come: "just left her teens", "out of his 20s"."""
    return _LEFT.search(before) is not None
