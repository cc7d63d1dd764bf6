"""Wheels of emotion words: which basic emotion a word belongs to, for answers in a model's own words.

The words of the wheels are those of the works named; the other forms of a word (`happy` of `happiness`) are ours.
A word that is on no wheel belongs to none, which is counted and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

_PARROTT = """
love: affection adoration fondness liking attraction caring tenderness compassion sentimentality lust arousal desire
  passion infatuation longing
joy: cheerfulness amusement bliss gaiety glee jolliness joviality delight enjoyment gladness happiness jubilation elation
  satisfaction ecstasy euphoria zest enthusiasm zeal excitement thrill exhilaration contentment pleasure pride triumph
  optimism eagerness hope enthrallment rapture relief
surprise: amazement astonishment
anger: irritation aggravation agitation annoyance grouchiness grumpiness exasperation frustration rage outrage fury wrath
  hostility ferocity bitterness hate loathing scorn spite vengefulness dislike resentment disgust revulsion contempt envy
  jealousy torment
sadness: suffering agony hurt anguish depression despair hopelessness gloom glumness unhappiness grief sorrow woe misery
  melancholy disappointment dismay displeasure shame guilt regret remorse neglect alienation isolation loneliness rejection
  homesickness defeat dejection insecurity embarrassment humiliation insult sympathy pity
fear: horror alarm shock fright terror panic hysteria mortification nervousness anxiety tenseness uneasiness apprehension
  worry distress dread
"""
_PLUTCHIK = """
joy: serenity ecstasy
trust: acceptance admiration
fear: apprehension terror
surprise: distraction amazement
sadness: pensiveness grief
disgust: boredom loathing
anger: annoyance rage
anticipation: interest vigilance
"""
_GENEVA = """
interest:
amusement:
pride:
joy:
pleasure:
contentment:
love:
admiration:
relief:
compassion:
sadness:
guilt:
regret:
shame:
disappointment:
fear:
disgust:
contempt:
hate:
anger:
"""
_FORMS = """
happiness: happy happily joyful joyous merry overjoyed
joy: joyfulness rejoicing
adoration: adoring
liking: likes
attraction: attracted
caring: cares
sentimentality: sentimental
lust: lustful
arousal: aroused
infatuation: infatuated
bliss: blissful
gaiety: lighthearted
glee: gleeful
jolliness: jolly
joviality: jovial
jubilation: jubilant
zest: zestful
zeal: zealous
exhilaration: exhilarated
enthrallment: enthralled
rapture: rapturous
grouchiness: grouchy
grumpiness: grumpy
wrath: wrathful
ferocity: ferocious
loathing: loathes
vengefulness: vengeful
torment: tormented
agony: agonized agonised
anguish: anguished
glumness: glum
woe: woeful
neglect: neglected
alienation: alienated
isolation: isolated
homesickness: homesick
defeat: defeated
insult: insulted
hysteria: hysterical
mortification: mortified
cheerfulness: cheerful cheery
amusement: amused amusing
delight: delighted delightful
enjoyment: enjoying
gladness: glad
elation: elated
satisfaction: satisfied satisfying
ecstasy: ecstatic
euphoria: euphoric
enthusiasm: enthusiastic
excitement: excited exciting
thrill: thrilled
contentment: content contented
pleasure: pleased pleasant
pride: proud
triumph: triumphant
optimism: optimistic
eagerness: eager
hope: hopeful hopefulness
relief: relieved
love: loving
affection: affectionate
fondness: fond
tenderness: tender
compassion: compassionate
desire: desiring
passion: passionate
longing: yearning
surprise: surprised surprising
amazement: amazed
astonishment: astonished
anger: angry angered angrily mad
irritation: irritated irritable
aggravation: aggravated
agitation: agitated
annoyance: annoyed
frustration: frustrated
exasperation: exasperated
rage: raging enraged
outrage: outraged
fury: furious
hostility: hostile
bitterness: bitter
hate: hatred hateful
scorn: scornful
spite: spiteful
dislike: disliking
resentment: resentful
disgust: disgusted
revulsion: repulsed revolted
contempt: contemptuous
envy: envious
jealousy: jealous
sadness: sad saddened sadly
depression: depressed
despair: despairing desperate desperation
hopelessness: hopeless
gloom: gloomy
unhappiness: unhappy
grief: grieving
sorrow: sorrowful
misery: miserable
melancholy: melancholic
disappointment: disappointed
dismay: dismayed
displeasure: displeased
shame: ashamed
guilt: guilty
regret: regretful
remorse: remorseful
loneliness: lonely
rejection: rejected
dejection: dejected
insecurity: insecure
embarrassment: embarrassed
humiliation: humiliated
sympathy: sympathetic
pity: pitying
hurt: hurting
fear: afraid fearful scared frightened
horror: horrified
alarm: alarmed
shock: shocked
terror: terrified
panic: panicked panicky
nervousness: nervous
anxiety: anxious
tenseness: tense tension
uneasiness: uneasy unease
apprehension: apprehensive
worry: worried
distress: distressed
dread: dreading
interest: interested curious curiosity
serenity: serene calm
acceptance: accepting
trust: trusting
admiration: admiring
distraction: distracted
pensiveness: pensive
boredom: bored
anticipation: anticipating expectant
vigilance: vigilant
"""


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel."""

    name: str
    source: str
    groups: Mapping[str, str]
    """Word -> its basic emotion."""


@dataclass(frozen=True, slots=True)
class Wheels:
    """Wheels that are read together, and the forms of their words."""

    wheels: tuple[Wheel, ...]
    bases: Mapping[str, tuple[str, ...]]
    """Form of a word -> the words on wheels that it stands for, in the order in which they are tried; a word without an
    entry stands for itself."""

    def known(self, word: str) -> bool:
        """Whether a word is on one of the wheels."""
        return any(self.group(word, wheel) for wheel in self.wheels)

    def group(self, word: str, wheel: Wheel) -> str:
        """The basic emotion of a word on a wheel; empty where it is not on it."""
        plain = " ".join(word.lower().split())
        for base in self.bases.get(plain, (plain,)):
            found = wheel.groups.get(base)
            if found:
                return found
        return ""

    def groups(self, words: Iterable[str], wheel: Wheel) -> frozenset[str]:
        """The basic emotions of some words."""
        return frozenset(found for word in words if (found := self.group(word, wheel)))


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """Lines `head: words`, continued on indented ones."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.strip().replace("\n  ", " ").split("\n"):
        head, _, words = line.partition(":")
        found[head] = tuple(words.split())
    return found


def _wheel(name: str, source: str, text: str) -> Wheel:
    groups = {w: head for head, words in _table(text).items() for w in (head, *words)}
    return Wheel(name, source, MappingProxyType(groups))


@cache
def shipped_wheels() -> Wheels:
    """The wheels of this package: Parrott's tree, Plutchik's and the Geneva wheel."""
    wheels = (
        _wheel("parrott", "Shaver et al. 1987, JPSP 52(6); Parrott 2001, Emotions in Social Psychology", _PARROTT),
        _wheel("plutchik", "Plutchik 1980, Emotion: A Psychoevolutionary Synthesis", _PLUTCHIK),
        _wheel("geneva", "Scherer 2005, Social Science Information 44(4)", _GENEVA),
    )  # fmt: skip
    bases: dict[str, tuple[str, ...]] = {}
    for base, forms in _table(_FORMS).items():
        for form in forms:
            bases[form] = (*bases.get(form, ()), base)
    # Near synonyms across wheels, so that a wheel with few words still places the common ones.
    for word, near in (
        ("happiness", "joy"),
        ("happy", "joy"),
        ("joyful", "joy"),
        ("hatred", "hate"),
    ):
        bases[word] = (*bases.get(word, (word,)), near)
    return Wheels(wheels, MappingProxyType(bases))


@cache
def wheel_words() -> Mapping[str, tuple[str, ...]]:
    """Each word that is on a wheel -> its other forms."""
    found: dict[str, list[str]] = {}
    for wheel in shipped_wheels().wheels:
        for word in wheel.groups:
            found.setdefault(word, [])
    for base, forms in _table(_FORMS).items():
        for form in forms:
            if base in found and form not in found:
                found[base].append(form)
    return MappingProxyType({word: tuple(forms) for word, forms in found.items()})
