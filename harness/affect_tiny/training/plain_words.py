"""Ordinary English used to pad training instructions, so that no wording is unfamiliar."""

from __future__ import annotations

_WORDS = """
a able about above accept according account accurate across act action actual add advice after
again against age ago agree aim air all allow allowed almost alone along already also although
always am among amount an analyse analysis and annotation another answer any anyone anything apart
app appear appears apply appropriate archive are area around art article as aside ask asked asking
assess assessment assign assigned assistant assume at attached attention author automatic available
avoid aware away back background bad base based basis batch be because become been before begin
behind being believe belong belongs below benchmark beside best better between beyond big bit body
book both bottom brief bring broad bucket building but button by call called camera can candidate
captured caption card care careful carefully carry case catalogue category caught cause centre
certain chance change character chart check child choice choose chosen circle city clear clearly
client close closely code coder collection colour column come comes comment common company compare
complete computer concern conclude condition confident consider considering consist contain content
context control copy correct correctly could count country couple course cover create criterion
crop current customer daily dark data database dataset date day deal dear decide decision deep
default define degree deliver demand depict depicted depicts depend describe described describing
description desk detail detailed detect determine diagnosis did different difficult digital direct
directly discuss display displayed do doctor document does doing done door doubt down draw drawn
during each early easy edge editor effort eight either element else email employ empty end engine
english enough enter entire entry error essential estimate evaluate even evening evidence exact
exactly examine example excellent except exercise exist expect expected experience experiment expert
explain explanation export extra face faces facial fact factor fair fall familiar family far fast
feature features feed few field figure file fill final finally find fine finish first fit fits five
folder follow following follows for form formal format forward found four frame free friend from
front full function further future game gave general gentle gentleman get girl give given gives
glance go goal goes going good great green ground group guess guest guide guideline had half hand
hands happen happens hard has have having he head health hear heard help helpful her here hello hi
high him his hold home honest hope hospital hour house how however human hundred i idea ideal
identity if image images imagine immediately impression important in include included indeed
indicate indicated information input inside inspect instance instant instead institute instruction
interest interface interview into is issue it item its itself job journal judge judgement just keep
kept key keyword kind know known lab label labelling lady language large last late later laboratory
lead leading learn least leave left length less let letter level library light like likely limit
line link list little local logical long look looking looks lot low machine made mail main make
makes man manner manual many map mark matter may maybe me mean meaning means measure medical meet
member mental mention message method middle might mind minute missing model modern moment month
more morning most mostly move movement much museum must my name named namely narrow natural near
necessary need needed never new news next nice night nine nobody none nor normal not note nothing
notice now number object objective observe observed observer obvious obviously of off offer office
often old on once one ones online only open opinion opposite or order original other otherwise our
out output outside over own page pair paper paragraph part participant particular partner party
pass past patient pay people perceive perceived perfect perform perhaps period permitted person
personal phase photo phrase pick picked picture pictures piece place plain plan play please point
police portrait position possible possibly post practice precise precisely predict prefer prepare
present presented press pretty previous print probable probably problem procedure process produce
product professional programme project proper provide provided psychology public pure purpose put
puts question questionnaire quick quickly quiet quite quote rather rating raw reach read reader
reading ready real really reason reasonable receive recent record recorded red refer reference
region regular related relevant remain remember remove repeat reply report represent request require
required research researcher respond response rest result return returned review rich right role
room row rule rules run safe said same sample say says scale scene school science scientific score
screen screenshot search second section see seem seems seen select selected selection self send
sense sent sentence separate series serious service session set seven several she sheet short should
side sign signal similar simple simply since single sir sit situation six size skill slightly slow
small so social society software some somebody someone something soon sort sound source space speak
special specific specify spend spot staff stage stand standard start state stated statement station
step still stimulus stop story straight strange street strict string strong student study style
subject submit subtle such suggest suit suitable suited sum supply support suppose sure survey
system table tag take taken takes talk target task taxonomy teacher team technical tell ten term
terms test text than thank thanks that the their them then there therefore these they thing things
think third this those though three through thus tick till time title to today together token told
tomorrow tonight too tool top topic total toward town track train training transcript translate
treat trial trust try turn twelve twice two type typical under understand unit university unknown
unless until up upload upon upper us usage use used useful user using usual usually valid value
various version very video view viewer visible vision visual voice wait walk want wanted was watch
water way we week well were what whatever when where whether which while white who whole whose why
wide will window wish with within without woman wonder word words work worker world worth would
write writer written wrong year yesterday yet you young your yourself zero
"""
WORDS: tuple[str, ...] = tuple(_WORDS.split())
"""Words in no order of meaning; none is a label."""

_CLAUSES = """
This is for a small study.
The picture was taken last week.
I am not sure about it.
There is no hurry.
My manager asked for this.
You may take your time.
We collect these for a data set.
Every picture was checked by two people.
The file is part of a longer series.
It does not matter who it is.
Do not guess the name.
Nothing else is needed.
Keep it short.
No other words, no punctuation.
We will compare your reply with others.
The study has been approved.
Please do not describe the background.
The light is not very good, sorry.
I have only this one picture.
Some people find this hard.
It is a drawing, not a photo.
The text goes straight into a table.
A programme will read your reply.
This is item 12 of 40.
Version 2 of the form.
Session 3, trial 7.
Sample id 0417.
Let me know what you think.
Thanks in advance!
Many thanks for your help.
Good morning.
Hello there.
Hi, I have a question.
Dear assistant,
OK, next one.
Here we go.
Right, let us begin.
I read about this in an article.
My students want to know.
We are writing a paper about it.
The same person was drawn several times.
Do not worry about the hair or the clothes.
Age and gender play no part.
Take the whole face into account.
Look at the mouth first.
Look at the eyes and the brows.
Mind the small details.
If in doubt, go for the likelier.
There is exactly one right reply.
Only one of them is right.
Several may seem to fit; take the best.
Use your own judgement.
Be honest.
Be as exact as you can.
Your reply must be short.
Do not write a full sentence.
Do not repeat the question.
Lower case, please.
Without a full stop.
In English, please.
As always, one reply per picture.
The order of the list has no meaning.
Each of them is equally frequent.
Imagine that you are in a room with this person.
Suppose that you meet this person in the street.
An expert has rated it as well.
We asked twenty people the same.
It will be used for a test.
This is not about identity.
You will see one picture.
The picture is above.
The picture is attached.
See the image.
The image shows one person.
Here is the next image.
It is cropped to the face.
The resolution is low.
Please excuse my English.
I am a nurse.
I work with children.
I am building an app.
We need this for quality control.
The client wants a quick result.
For the record only.
Ref: page 3, table 2.
Note: one line only.
Important: follow the format.
Reminder: be careful.
Step 1 of 1.
Part B.
Task 5:
Q:
Question 9.
Exercise 4.
"""
CLAUSES: tuple[str, ...] = tuple(_CLAUSES.strip().splitlines())
"""Sentences that ask for nothing."""
