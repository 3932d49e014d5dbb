"""How each letter is drawn, in our own hand: strokes as corners on a grid.

A corner is two digits, its column (0 to 4, left to right) and its row (0 to 6, top to bottom); a
slash lifts the pen. The words are everyday English, for its letter statistics.
"""

from __future__ import annotations

STROKES = {
    "a": "40 20 02 04 26 44 / 40 46",
    "b": "00 06 26 45 43 22 03",
    "c": "41 20 02 04 26 45",
    "d": "40 46 26 05 03 22 43",
    "e": "03 43 41 20 02 04 26 45",
    "f": "40 20 11 16 / 03 33",
    "g": "40 20 01 13 33 41 / 40 45 26 06",
    "h": "00 06 / 03 22 43 46",
    "i": "22 26 / 20 20",
    "j": "32 35 16 05 / 30 30",
    "k": "00 06 / 41 03 46",
    "l": "10 15 26 36",
    "m": "00 06 / 02 10 21 26 / 22 30 41 46",
    "n": "00 06 / 02 20 42 46",
    "o": "20 02 04 26 44 42 20",
    "p": "00 06 / 01 20 41 43 24 03",
    "q": "40 46 / 41 20 01 03 24 43",
    "r": "00 06 / 02 20 41",
    "s": "41 20 01 02 43 45 26 05",
    "t": "20 25 36 45 / 02 42",
    "u": "00 04 26 44 / 40 46",
    "v": "00 26 40",
    "w": "00 16 22 36 40",
    "x": "00 46 / 40 06",
    "y": "00 23 / 40 06",
    "z": "00 40 06 46",
}

_WRITTEN = """
about after again along always animal answer around because before better between black blue body
both boys bring brown build burn cold colour come could country cover cross dance deep door down
dozen draw during early earth enjoy enough equal every example expect eyes family field figure find
first five fixed flower food four friend from garden give glass green group grow half hand happy
have head heart help high home horse house hundred just keep kind king know language large laugh
learn leave letter light like listen little long love make many measure might money month morning
mother mountain move music near never night north nothing number object often open order other page
paper people picture place plant point power pretty problem public quick quiet quite rain reach
ready record river room round science second sentence seven ship short simple size sleep slow small
snow some sound south special square stand start story street strong study summer table talk taxi
teach that there thing think thousand three through time together town travel tree under unit
usual value verb very voice vowel walk want watch water week weight what wheel where which white
winter with wonder wood word work world would write year yellow young zero zone
"""
WORDS = _WRITTEN.split()
