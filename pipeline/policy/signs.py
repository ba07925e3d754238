"""Signs that a page is no document: error pages, walls and shells, told from a document that only speaks of them.

Each kind is a row of a table: what its title or heading says, what its words say, which controls it shows. A page
is of a kind when several signs agree and there is little else on it; a title that names a policy counts against.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.events import PageState
from pipeline.policy.html import Node, Tree

_NEEDED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a page shows: title, headings, the words of its main part, its controls, its raw markup."""

    title: str = ""
    headings: tuple[str, ...] = ()
    words: str = ""
    controls: str = ""
    passwords: int = 0
    images: int = 0
    scripts: int = 0
    markup: str = ""
    everything: str = ""  # all words of the page, main part or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of page that is no document. `limit` is the most text (characters) such a page shows."""

    state: PageState
    what: str
    titles: re.Pattern[str]
    phrases: re.Pattern[str]
    controls: re.Pattern[str] | None = None
    limit: int = 1500


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.I)


_POLICY = _any(
    r"polic(?:y|ies)", r"\bterms\b", r"\bnotice\b", r"agreement", r"conditions", r"statement", r"guidelines", r"addendum", r"rules",
    r"datenschutz", r"nutzungsbedingungen", r"politique", r"confidentialit", r"pol[ií]tica", r"t[eé]rminos", r"termini", r"informativa",
    r"privacybeleid", r"voorwaarden", r"regulamin", r"условия", r"политика", r"政策", r"条款", r"規約", r"ポリシー", r"약관", r"방침",
)  # fmt: skip

KINDS = (
    Kind(
        state=PageState.BLOCKED,
        what="a bot challenge or a refusal",
        titles=_any(
            r"just a moment", r"attention required", r"access (?:to this page )?(?:has been |is )?(?:denied|blocked|restricted)",
            r"are you (?:a )?(?:human|robot)", r"verify(?:ing)? (?:that )?you(?:'|’| a)?re? (?:not a (?:ro)?bot|human)", r"human verification",
            r"security (?:check|verification|checkpoint)", r"pardon our interruption", r"request (?:unsuccessful|rejected|blocked)",
            r"checking (?:your|the) (?:browser|connection)", r"client challenge", r"you(?:'ve| have) been blocked", r"robot check",
            r"captcha", r"ddos", r"forbidden", r"unusual (?:traffic|activity)", r"un instant", r"nur einen moment", r"un momento",
        ),
        phrases=_any(
            r"checking (?:if the site connection is secure|your browser)", r"verify(?:ing)? (?:that )?you(?:'|’| a)re (?:human|not a (?:ro)?bot)",
            r"enable javascript and cookies to continue", r"needs to review the security of your connection", r"unusual (?:traffic|activity)",
            r"(?:you )?(?:don't|do not) have permission to access", r"complete the (?:captcha|security check)", r"press (?:and|&) hold",
            r"reference (?:id|#|number)", r"incident id", r"support id", r"ray id", r"solve (?:this|the) (?:captcha|puzzle)",
            r"automated (?:access|requests?|queries)", r"why have i been blocked", r"i(?:'|’)?m not a robot", r"are you a robot",
            r"made us think (?:that )?you(?: are|'re|’re) a bot", r"browser'?s? (?:will|to) redirect", r"please turn javascript on",
        ),
        limit=2500,
    ),
    Kind(
        state=PageState.SOFT_404,
        what="a 'not found' page",
        titles=_any(
            r"\b404\b", r"not found", r"(?:page|document|content|link|article|site|policy) (?:is |was )?(?:not|no longer|un)\s?-?(?:available|exist|found)",
            r"(?:isn(?:'|’)t|is not|not) available", r"(?:can(?:'|’)?t|cannot|could(?:n(?:'|’)t| not)|unable to) (?:be found|find)", r"does(?:n(?:'|’)t| not) exist",
            r"no longer (?:exists?|available|here)", r"has (?:been )?(?:moved|removed)", r"oops", r"uh[- ]?oh", r"nothing (?:here|found)", r"\bgone\b", r"missing page", r"lost\?",
            r"nicht gefunden", r"nicht verfügbar", r"existiert nicht", r"introuvable", r"n(?:'|’)existe (?:pas|plus)", r"no (?:se ha )?encontrad[ao]", r"no existe",
            r"non trovat[ao]", r"não encontrad[ao]", r"niet gevonden", r"nie znalezion", r"hittades inte", r"ikke fundet", r"ikke funnet", r"не найден",
            r"見つかりません", r"找不到", r"不存在", r"찾을 수 없", r"bulunamad", r"غير موجود",
        ),
        phrases=_any(
            r"link (?:you (?:followed|clicked) )?(?:may|might|could|is|was) (?:be )?(?:broken|expired|old|outdated)", r"(?:page|content|url|address)[^.]{0,60}(?:not (?:be )?found|(?:doesn(?:'|’)t|does not|no longer) exists?|(?:moved|removed|deleted|renamed))",
            r"check the (?:url|address|spelling)", r"(?:go|return|back|take me) (?:back )?to (?:the |our )?home", r"mistyped", r"\b404\b", r"looking for (?:does|is|was|might|could|can)",
            r"try (?:searching|again|a search|one of)", r"we (?:can(?:'|’)?t|couldn(?:'|’)t|could not|are unable to|cannot) find", r"startseite", r"page d(?:'|’)accueil",
            r"p[aá]gina (?:de inicio|principal|inicial)", r"existe", r"gefunden", r"introuvable",
        ),
    ),
    Kind(
        state=PageState.ERROR,
        what="an error page",
        titles=_any(
            r"\b50[0-4]\b", r"internal server error", r"bad gateway", r"service (?:temporarily )?unavailable", r"gateway time-?out", r"something went wrong",
            r"(?:an|unexpected|application|server|client-side) (?:error|exception)", r"(?:down|site|scheduled|under|system|planned) (?:for )?maintenance", r"maintenance mode", r"(?:we(?:'|’)ll|will) be (?:right )?back",
            r"temporarily (?:unavailable|offline|down)", r"welcome to nginx", r"default (?:web )?page", r"index of /", r"it works!?$", r"wartung", r"en maintenance", r"too many requests",
        ),
        phrases=_any(
            r"try again (?:later|soon|in a)", r"(?:error|exception) (?:has )?occurred", r"maintenance", r"back (?:soon|shortly|online)", r"temporarily", r"internal server error",
            r"we(?:'|’)?re (?:working|aware|sorry)", r"upstream", r"nginx", r"apache", r"request could not be (?:completed|satisfied)", r"refresh the page", r"server (?:is|was|encountered)",
        ),
        limit=1200,
    ),
    Kind(
        state=PageState.CONSENT_WALL,
        what="a consent wall",
        titles=_any(
            r"before you (?:continue|proceed|enter|go)", r"(?:we|your) (?:value|care about|respect) your privacy", r"your privacy (?:choices|is important|matters)?$", r"we use cookies", r"cookie (?:consent|settings|preferences|choices)",
            r"consent", r"manage (?:your )?(?:cookies|privacy|consent)", r"accept (?:all )?cookies", r"bevor (?:sie|du) (?:fortfahren|weiter)", r"avant (?:de continuer|d(?:'|’)accéder)",
            r"wir (?:schätzen|respektieren) ihre privatsphäre", r"antes de continuar", r"prima di continuare", r"privatsphäre", r"zustimmung", r"voordat (?:u|je) (?:verder|doorgaat)",
        ),
        phrases=_any(
            r"we (?:and our (?:\d+ )?partners )?(?:use|store)[^.]{0,60}cookies", r"(?:accept|reject|allow|decline|agree to) (?:all|cookies)", r"(?:to )?continue to (?:the|our) (?:site|website|service)",
            r"legitimate interests?", r"\b\d+ partners\b", r"by clicking [^.]{0,20}(?:accept|agree|continue)", r"manage (?:options|settings|preferences|choices)", r"alle(?:s)? (?:akzeptieren|ablehnen|annehmen)",
            r"tout (?:accepter|refuser)", r"aceptar tod[oa]s", r"accetta tutt[oi]", r"consent to", r"subscribe (?:to|for) (?:an )?ad-free", r"zustimmen",
        ),
        controls=_any(
            r"accept", r"agree", r"reject", r"allow all", r"got it", r"manage (?:options|preferences|settings|cookies)", r"consent", r"akzeptieren", r"zustimmen", r"ablehnen", r"accepter", r"refuser", r"aceptar", r"rechazar",
            r"accett", r"rifiut", r"aceitar", r"accepteren", r"同意", r"同意する", r"동의",
        ),
        limit=4000,
    ),
    Kind(
        state=PageState.LOGIN_WALL,
        what="a login page",
        titles=_any(
            r"log ?-?in\b", r"sign ?-?in\b", r"sign up", r"create (?:an |your )?account", r"join (?:now|us|today)", r"authenticat", r"members? only", r"(?:login|password|authentication) required",
            r"anmelden", r"einloggen", r"connexion", r"se connecter", r"iniciar sesi[oó]n", r"accedi", r"entrar", r"inloggen", r"logga in", r"zaloguj", r"войти", r"ログイン", r"登录", r"登錄", r"로그인", r"welcome back",
        ),
        phrases=_any(
            r"(?:forgot|forgotten|reset) (?:your )?password", r"(?:email|username|phone)[^.]{0,30}password", r"(?:log|sign) in (?:to|with|or)", r"(?:continue|sign in|log in) with (?:google|facebook|apple|email|sso)", r"don(?:'|’)t have an account",
            r"already (?:a member|have an account)", r"remember me", r"(?:must|need to|please) (?:be (?:logged|signed) in|log in|sign in)", r"new to \w+", r"passwort", r"mot de passe", r"contraseña", r"senha",
        ),
        controls=_any(r"log ?in", r"sign ?in", r"anmelden", r"connexion", r"iniciar", r"accedi", r"continue with"),
    ),
    Kind(
        state=PageState.LANGUAGE,
        what="a page for another region",
        titles=_any(
            r"(?:not|isn(?:'|’)t) (?:yet )?(?:available|accessible|supported) in your (?:country|region|location|area)", r"unavailable in your (?:country|region|location)", r"(?:choose|select) your (?:country|region|language|location)",
            r"unavailable for legal reasons", r"nicht verfügbar in ihrem land", r"country selector",
        ),
        phrases=_any(
            r"(?:not|isn(?:'|’)t|un)\s?(?:yet )?(?:available|accessible|supported)[^.]{0,40}in your (?:country|region|location|area)", r"(?:choose|select) your (?:country|region|language|location)", r"european (?:economic area|union)[^.]{0,80}(?:not|un)\s?available",
            r"visitors? from", r"vpn", r"legal reasons", r"gdpr",
        ),
        limit=1200,
    ),
)  # fmt: skip

_PROTECTIONS = (
    ("Cloudflare", _any(r"cf-mitigated", r"cf[-_]chl", r"cf-browser-verification", r"/cdn-cgi/challenge-platform/h/", r"cf-error-details", r"cloudflare ray id", r"attention required! \| cloudflare", r"cf-turnstile")),
    ("Akamai", _any(r"errors\.edgesuite\.net", r"reference #\d+\.[0-9a-f]+\.", r"sec-if-cpt", r"akamai[- ]?(?:bot|ghost)", r"_abck", r"bm-verify", r"behavioral-content")),
    ("PerimeterX/HUMAN", _any(r"px-captcha", r"_pxappid", r"perimeterx", r"captcha\.px-cdn", r"human security", r"px-cloud\.net", r"press (?:and|&amp;|&) hold to confirm")),
    ("DataDome", _any(r"captcha-delivery\.com", r"x-datadome", r"datadome")),
    ("Imperva", _any(r"_incapsula_resource", r"incapsula", r"imperva", r"x-iinfo", r"visid_incap", r"pardon our interruption")),
    ("AWS WAF", _any(r"x-amzn-waf-action", r"awswaf", r"aws-waf-token", r"gokuprops")),
    ("Kasada", _any(r"kpsdk", r"x-kpsdk")),
    ("Vercel", _any(r"x-vercel-mitigated", r"vercel security checkpoint")),
    ("F5", _any(r"your support id is:? ?<?\d*", r"the requested url was rejected", r"/tspd/")),
    ("Sucuri", _any(r"sucuri website firewall", r"x-sucuri-block")),
    ("DDoS-Guard", _any(r"ddos-guard")),
    ("Fastly", _any(r"client challenge", r"/_fs-ch-")),
    ("Arkose Labs", _any(r"arkoselabs\.com", r"funcaptcha")),
    ("hCaptcha", _any(r"hcaptcha\.com", r"h-captcha")),
    ("reCAPTCHA", _any(r"google\.com/recaptcha", r"g-recaptcha", r"recaptcha/api")),
)  # fmt: skip
_CERTAIN = {"cf-mitigated", "x-amzn-waf-action", "x-vercel-mitigated", "x-sucuri-block"}
_SPACE_TAGS = {"h1", "h2", "title"}


def look(tree: Tree, markup: str) -> Seen:
    """Return what a page shows, before anything is taken out of it; `words` is left for the extraction."""
    headings, controls, passwords, images = [], [], 0, 0
    for node in tree.root.walk():
        if node.tag in {"h1", "h2"} and len(headings) < 5:
            headings.append(node.text()[:200])
        elif node.tag == "button" or node.attrs.get("role") == "button":
            controls.append(node.text()[:60])
        elif node.tag == "input":
            passwords += node.attrs.get("type", "").lower() == "password"
            controls.append(
                node.attrs.get("value", "")[:60] if node.attrs.get("type", "").lower() in _BUTTONS else ""
            )
        elif node.tag in {"img", "picture", "svg", "canvas"}:
            images += 1
    return Seen(
        title=tree.title[:300],
        headings=tuple(heading for heading in headings if heading),
        controls=" | ".join(control for control in controls[:60] if control),
        passwords=passwords,
        images=images,
        scripts=tree.script_size,
        markup=markup[:400_000],
        everything=tree.body.text()[:20_000],
    )


_BUTTONS = {"submit", "button", "reset"}


def protection(markup: str, headers: Mapping[str, str]) -> str:
    """Return the name of the bot protection whose marks a response bears, "" if none."""
    head = "\n".join(f"{name.lower()}: {value}" for name, value in headers.items())
    haystack = head + "\n" + markup[:60_000]
    return next((name for name, pattern in _PROTECTIONS if pattern.search(haystack)), "")


def wall(seen: Seen, headers: Mapping[str, str]) -> tuple[PageState, str] | None:
    """Return the state and the reason if the signs agree that this is no document, else None."""
    best: tuple[int, Kind, list[str]] | None = None
    for kind in KINDS:
        score, told = _score(kind, seen, headers)
        if score >= _NEEDED and (best is None or score > best[0]):
            best = (score, kind, told)
    if best is None:
        return None
    _, kind, told = best
    name = protection(seen.markup, headers) if kind.state is PageState.BLOCKED else ""
    by = f" by {name}" if name else ""
    return kind.state, f"The page is {kind.what}{by}: {', '.join(told)}."


def _score(kind: Kind, seen: Seen, headers: Mapping[str, str]) -> tuple[int, list[str]]:
    size = len(seen.words)
    if size > kind.limit:
        return 0, []
    score, told = 0, []
    head = next((text for text in (seen.title, *seen.headings[:2]) if kind.titles.search(text)), "")
    if head:
        score += 3
        told.append(f"its title says {head[:80]!r}")
    found = list(dict.fromkeys(match.group().lower() for match in kind.phrases.finditer(seen.words[:4000])))
    if found:
        score += min(3, 1 + len(found))
        told.append(f"it says {found[0][:60]!r}")
    score += _extras(kind, seen, headers, told)
    score += size < 400
    if _POLICY.search(seen.title + " " + " ".join(seen.headings[:1])) and not head:
        score -= 3
    if not head and size > 700:
        score = min(score, _NEEDED - 1)  # words alone do not outweigh a text of some length
    if told:
        told.append(f"there are {size} characters of text in all")
    return (score if told else 0), told


def _extras(kind: Kind, seen: Seen, headers: Mapping[str, str], told: list[str]) -> int:
    """Count what only one kind of page shows: its controls, a password field, marks of a protection."""
    score = 0
    if kind.controls is not None and kind.controls.search(seen.controls):
        score += 1
        told.append("it has the controls of one")
    if kind.state is PageState.LOGIN_WALL and seen.passwords:
        score += 2
        told.append("it asks for a password")
    if kind.state is PageState.BLOCKED and protection(seen.markup, headers):
        score += 4 if any(name.lower() in _CERTAIN for name in headers) else 2
        told.append("it bears the marks of a bot protection")
    return score


_ASKS = re.compile(
    r"\b(?:enable|requires?|needs?|activate|turn on|without) (?:\w+ ){0,5}java ?script\b|"
    r"\bjava ?script (?:\w+ ){0,4}(?:enabled?|required|disabled|turned off)\b",
    re.I,
)


def shell(seen: Seen) -> str:
    """Return why a page without text is only a shell for scripts, "" if it is not."""
    if len(seen.words) > 400:
        return ""
    if asks := _ASKS.search(seen.everything):
        return f"The page shows its text only by client scripts; all it says is {asks.group()[:80]!r}."
    if len(seen.words) < 150 and seen.scripts > 1500:
        return (
            f"The page shows its text only by client scripts: {len(seen.words)} characters of text, "
            f"{seen.scripts} of script."
        )
    return ""
