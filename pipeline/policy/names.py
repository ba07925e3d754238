"""What furniture is called and what it says: closed lists of words that hold for any site, none for one.

Names are those of ids, classes and labels, in parts between hyphens; lines are whole lines of a page.
"""

from __future__ import annotations

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a list written as text."""
    return frozenset(text.split())


def _parts(names: str) -> re.Pattern[str]:
    """Match any of the names as a part, or as several parts, of a hyphenated name."""
    return re.compile(rf"(?:^|[\s_-])(?:{'|'.join(names.split())})(?=$|[\s_-])")


NEVER = words(
    "head title svg math canvas iframe object embed audio video map noframes button select input textarea datalist "
    "option optgroup progress meter dialog template applet img picture source track param"
)
ROLES = words(
    "navigation banner contentinfo search dialog alertdialog menu menubar menuitem toolbar tablist status button "
    "combobox listbox option switch slider progressbar"
)
TAGS = words("nav footer form search menu noscript")
HEADINGS = words("h1 h2 h3 h4 h5 h6")
CONTAINERS = words(
    "div section ul ol span header a aside article table center fieldset figure address summary details p li i em small"
)

# what only furniture is called
ALWAYS = _parts(
    "nav navbar navigation topnav subnav sidenav menu megamenu submenu breadcrumbs? crumbs pagination pager "
    "skip(?:to|link|nav|content)? (?:site-?)?footer site-?header masthead topbar side-?bar "
    "share-?(?:bar|buttons?|links?|icons?|this) social-?(?:bar|buttons?|links?|icons?|media|share) addthis sharethis "
    "related-?(?:articles?|posts?|links?|content|topics?) more-?articles read-?next adverts? advertisement newsletter "
    "cookie-?(?:banner|bar|notice|consent|popup|modal|law|dialog|message|disclaimer|wall|settings) "
    "consent-?(?:banner|manager|popup|modal|dialog|bar) onetrust truste cookiebot didomi usercentrics osano cmp "
    "(?:lang(?:uage)?s?|locale|country|region)-?(?:picker|selector|select|switch(?:er)?|menu|list|wrapper|nav) "
    "popup lightbox toast offcanvas chatbot? back-?to-?top sr-?only visually-?hidden screen-?reader(?:-text)? "
    "article-?(?:feedback|votes?|rating) feedback-?(?:form|widget|bar) csat reaction-?(?:picker|prompt) "
    "was-?this-?helpful helpful"
)
# what a part of a policy may be called too: counts in a class or a label, and where no heading stands inside
OFTEN = _parts(
    "share sharing social related recommended promo ads? banner subscribe sign-?up login feedback rating votes? survey "
    "cookies? consent gdpr modal overlay drawer dropdown cta search avatar author byline comments? print toc-?toggle "
    "lang(?:uage)?s?"
)
# what banners that ask for consent alone are called, however much they say: makers of them, then common names
VENDORS = _parts(
    r"onetrust truste cookiebot cybot\w* didomi usercentrics osano qc-?cmp iubenda-?cs klaro cookieyes cky "
    "cmplz cc-(?:window|banner|revoke)"
)
CONSENT = _parts(
    "cookie-?(?:banner|bar|notice|consent|popup|modal|law|dialog|wall) consent-?(?:banner|popup|modal|dialog|bar)"
)

LINES = re.compile(
    r"(?:skip to (?:the )?(?:main )?content|back to (?:the )?top|"
    r"(?:share|print|e-?mail|save) this(?: page| article)?|"
    r"(?:was|is) this (?:page|article|information|answer|content)? ?helpful|did (?:this|we) (?:answer|help)|"
    r"(?:show|read|learn|see|view) (?:more|less|all)|loading|close(?: menu| dialog)?|open menu|menu|search|print|share|"
    r"[\d,.]+[km]? (?:views?|shares?|comments?|likes?|reactions?)|\d+ min(?:ute)?s? read|"
    r"[\d,.]+ (?:people|users) (?:found|viewed|read)\b.*|[\d,.]+ out of [\d,.]+ found this helpful|"
    r"war (?:dies|dieser artikel) hilfreich|cet article (?:vous )?a-t-il été utile)"
    r"[\s?!.…:]*(?:yes|no|ja|nein|oui|non|👍|👎|/|\s)*$",
    re.I,
)
BANNER = re.compile(
    r"\b(?:uses? (?:\w+ ){0,3}cookies|cookies (?:to|help|are|on|and)|verwende\w* (?:\w+ ){0,3}cookies|"
    r"utilis\w+ (?:\w+ ){0,3}cookies|utiliza\w* (?:\w+ ){0,3}cookies|gebruik\w* (?:\w+ ){0,3}cookies|"
    r"value your privacy)",
    re.I,
)
ASSENT = re.compile(
    r"(?:i )?(?:accept|agree|reject|allow|decline|deny|got it|ok(?:ay)?|understand|dismiss|manage|akzeptieren|alle |"
    r"ablehnen|zustimmen|accepter|tout |refuser|aceptar|rechazar|accetta|rifiuta|aceitar|accepteren)\b",
    re.I,
)
ASSENT_LAST = re.compile(
    r"\b(?:accept(?: all)?(?: cookies)?|got it|ok(?:ay)?|(?:i )?agree|dismiss|allow(?: all)?(?: cookies)?|"
    r"(?:i )?understand|close|×|✕)[!.]?$",
    re.I,
)
NEWSLETTER = re.compile(
    r"\b(?:sign up|subscribe|join)\b.{0,60}\b(?:newsletter|mailing list|latest news|updates)\b", re.I | re.S
)
TITLES = re.compile(  # how furniture begins; no section of a policy is called so
    r"(?:(?:\d+ )?comments?:? (?:\(?\d+|no comments|be the first|.{0,60}(?:closed for|log in|sign in))|"
    r"leave a (?:reply|comment)\b|"
    r"related (?:articles?|posts?|pages)\b|recent (?:posts|articles|comments)\b|recently viewed|"
    r"articles in this section|"
    r"share (?:this|on (?:facebook|twitter|x|linkedin))\b|follow us on\b|you (?:may|might) also (?:like|be interested)|"
    r"(?:see|read) next\b|more (?:articles|posts)\b|popular (?:posts|articles)|trending (?:now|posts|articles)|"
    r"(?:was|is) this (?:page |article )?helpful|need more help\?)",
    re.I,
)
COPYRIGHT = re.compile(r"^(?:©|\(c\)|copyright (?:©|\(c\)|\d{4}))|all rights reserved[.!]?$", re.I)
