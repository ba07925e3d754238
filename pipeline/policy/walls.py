"""What pages that are no documents say: error pages, walls and challenges, as a table of data.

Titles are what a title or first heading says, phrases what the words say, controls what the buttons say; in the
languages in which we met them. `signs` weighs them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.events import PageState


def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of page that is no document. `limit` is the most text (characters) such a page shows."""

    state: PageState
    what: str
    titles: re.Pattern[str]
    phrases: re.Pattern[str]
    controls: re.Pattern[str] | None = None
    limit: int = 1500


POLICY = _pattern(
    r"polic(?:y|ies)|\bterms\b|\bnotice\b|agreement|conditions|statement|guidelines|addendum|rules|"
    r"datenschutz|nutzungsbedingungen|politique|confidentialit|pol[ií]tica|t[eé]rminos|termini|"
    r"informativa|privacybeleid|voorwaarden|regulamin|условия|политика|政策|条款|規約|ポリシー|약관|방침"
)

KINDS = (
    Kind(
        state=PageState.BLOCKED,
        what="a bot challenge or a refusal",
        titles=_pattern(
            r"just a moment|attention required|"
            r"access (?:to this page )?(?:has been |is )?(?:denied|blocked|restricted)|"
            r"are you (?:a )?(?:human|robot)|"
            r"verify(?:ing)? (?:that )?you(?:'|’| a)?re? (?:not a (?:ro)?bot|human)|"
            r"human verification|security (?:check|verification|checkpoint)|pardon our interruption|"
            r"request (?:unsuccessful|rejected|blocked)|checking (?:your|the) (?:browser|connection)|"
            r"client challenge|you(?:'ve| have) been blocked|robot check|captcha|ddos|forbidden|"
            r"unusual (?:traffic|activity)|un instant|nur einen moment|un momento"
        ),
        phrases=_pattern(
            r"checking (?:if the site connection is secure|your browser)|"
            r"verify(?:ing)? (?:that )?you(?:'|’| a)re (?:human|not a (?:ro)?bot)|"
            r"enable javascript and cookies to continue|"
            r"needs to review the security of your connection|unusual (?:traffic|activity)|"
            r"(?:you )?(?:don't|do not) have permission to access|"
            r"complete the (?:captcha|security check)|press (?:and|&) hold|reference (?:id|#|number)|"
            r"incident id|support id|ray id|solve (?:this|the) (?:captcha|puzzle)|"
            r"automated (?:access|requests?|queries)|why have i been blocked|i(?:'|’)?m not a robot|"
            r"are you a robot|made us think (?:that )?you(?: are|'re|’re) a bot|"
            r"browser'?s? (?:will|to) redirect|please turn javascript on"
        ),
        limit=2500,
    ),
    Kind(
        state=PageState.SOFT_404,
        what="a 'not found' page",
        titles=_pattern(
            r"\b404\b|not found|"
            r"(?:page|document|content|link|article|site|policy) (?:is |was )?(?:not|no longer|"
            r"un)\s?-?(?:available|exist|found)|(?:isn(?:'|’)t|is not|not) available|"
            r"(?:can(?:'|’)?t|cannot|could(?:n(?:'|’)t| not)|unable to) (?:be found|find)|"
            r"does(?:n(?:'|’)t| not) exist|no longer (?:exists?|available|here)|"
            r"has (?:been )?(?:moved|removed)|oops|uh[- ]?oh|nothing (?:here|found)|\bgone\b|"
            r"missing page|lost\?|nicht gefunden|nicht verfügbar|existiert nicht|introuvable|"
            r"n(?:'|’)existe (?:pas|plus)|no (?:se ha )?encontrad[ao]|no existe|non trovat[ao]|"
            r"não encontrad[ao]|niet gevonden|nie znalezion|hittades inte|ikke fundet|ikke funnet|"
            r"не найден|見つかりません|找不到|不存在|찾을 수 없|bulunamad|غير موجود"
        ),
        phrases=_pattern(
            r"link (?:you (?:followed|clicked) )?(?:may|might|could|is|was) (?:be )?(?:broken|expired|"
            r"old|outdated)|"
            r"(?:page|content|url|address)[^.]{0,60}(?:not (?:be )?found|(?:doesn(?:'|’)t|does not|"
            r"no longer) exists?|(?:moved|removed|deleted|renamed))|"
            r"check the (?:url|address|spelling)|"
            r"(?:go|return|back|take me) (?:back )?to (?:the |our )?home|mistyped|\b404\b|"
            r"looking for (?:does|is|was|might|could|can)|try (?:searching|again|a search|one of)|"
            r"we (?:can(?:'|’)?t|couldn(?:'|’)t|could not|are unable to|cannot) find|startseite|"
            r"page d(?:'|’)accueil|p[aá]gina (?:de inicio|principal|inicial)|existe|gefunden|"
            r"introuvable"
        ),
        limit=1500,
    ),
    Kind(
        state=PageState.ERROR,
        what="an error page",
        titles=_pattern(
            r"\b50[0-4]\b|internal server error|bad gateway|service (?:temporarily )?unavailable|"
            r"gateway time-?out|something went wrong|"
            r"(?:an|unexpected|application|server|client-side) (?:error|exception)|"
            r"(?:down|site|scheduled|under|system|planned) (?:for )?maintenance|maintenance mode|"
            r"(?:we(?:'|’)ll|will) be (?:right )?back|temporarily (?:unavailable|offline|down)|"
            r"welcome to nginx|default (?:web )?page|index of /|it works!?$|wartung|en maintenance|"
            r"too many requests"
        ),
        phrases=_pattern(
            r"try again (?:later|soon|in a)|(?:error|exception) (?:has )?occurred|maintenance|"
            r"back (?:soon|shortly|online)|temporarily|internal server error|"
            r"we(?:'|’)?re (?:working|aware|sorry)|upstream|nginx|apache|"
            r"request could not be (?:completed|satisfied)|refresh the page|"
            r"server (?:is|was|encountered)"
        ),
        limit=1200,
    ),
    Kind(
        state=PageState.CONSENT_WALL,
        what="a consent wall",
        titles=_pattern(
            r"before you (?:continue|proceed|enter|go)|"
            r"(?:we|your) (?:value|care about|respect) your privacy|"
            r"your privacy (?:choices|is important|matters)?$|we use cookies|"
            r"cookie (?:consent|settings|preferences|choices)|consent|"
            r"manage (?:your )?(?:cookies|privacy|consent)|accept (?:all )?cookies|"
            r"bevor (?:sie|du) (?:fortfahren|weiter)|avant (?:de continuer|d(?:'|’)accéder)|"
            r"wir (?:schätzen|respektieren) ihre privatsphäre|antes de continuar|prima di continuare|"
            r"privatsphäre|zustimmung|voordat (?:u|je) (?:verder|doorgaat)"
        ),
        phrases=_pattern(
            r"we (?:and our (?:\d+ )?partners )?(?:use|store)[^.]{0,60}cookies|"
            r"(?:accept|reject|allow|decline|agree to) (?:all|cookies)|"
            r"(?:to )?continue to (?:the|our) (?:site|website|service)|legitimate interests?|"
            r"\b\d+ partners\b|by clicking [^.]{0,20}(?:accept|agree|continue)|"
            r"manage (?:options|settings|preferences|choices)|"
            r"alle(?:s)? (?:akzeptieren|ablehnen|annehmen)|tout (?:accepter|refuser)|aceptar tod[oa]s|"
            r"accetta tutt[oi]|consent to|subscribe (?:to|for) (?:an )?ad-free|zustimmen"
        ),
        controls=_pattern(
            r"accept|agree|reject|allow all|got it|manage (?:options|preferences|settings|cookies)|"
            r"consent|akzeptieren|zustimmen|ablehnen|accepter|refuser|aceptar|rechazar|accett|rifiut|"
            r"aceitar|accepteren|同意|同意する|동의"
        ),
        limit=4000,
    ),
    Kind(
        state=PageState.LOGIN_WALL,
        what="a login page",
        titles=_pattern(
            r"log ?-?in\b|sign ?-?in\b|sign up|create (?:an |your )?account|join (?:now|us|today)|"
            r"authenticat|members? only|(?:login|password|authentication) required|anmelden|einloggen|"
            r"connexion|se connecter|iniciar sesi[oó]n|accedi|entrar|inloggen|logga in|zaloguj|войти|"
            r"ログイン|登录|登錄|로그인|welcome back"
        ),
        phrases=_pattern(
            r"(?:forgot|forgotten|reset) (?:your )?password|"
            r"(?:email|username|phone)[^.]{0,30}password|(?:log|sign) in (?:to|with|or)|"
            r"(?:continue|sign in|log in) with (?:google|facebook|apple|email|sso)|"
            r"don(?:'|’)t have an account|already (?:a member|have an account)|remember me|"
            r"(?:must|need to|please) (?:be (?:logged|signed) in|log in|sign in)|new to \w+|passwort|"
            r"mot de passe|contraseña|senha"
        ),
        controls=_pattern(r"log ?in|sign ?in|anmelden|connexion|iniciar|accedi|continue with"),
        limit=1500,
    ),
    Kind(
        state=PageState.LANGUAGE,
        what="a page for another region",
        titles=_pattern(
            r"(?:not|isn(?:'|’)t) (?:yet )?(?:available|accessible|supported) in your (?:country|"
            r"region|location|area)|unavailable in your (?:country|region|location)|"
            r"(?:choose|select) your (?:country|region|language|location)|"
            r"unavailable for legal reasons|nicht verfügbar in ihrem land|country selector"
        ),
        phrases=_pattern(
            r"(?:not|isn(?:'|’)t|un)\s?(?:yet )?(?:available|accessible|"
            r"supported)[^.]{0,40}in your (?:country|region|location|area)|"
            r"(?:choose|select) your (?:country|region|language|location)|"
            r"european (?:economic area|union)[^.]{0,80}(?:not|un)\s?available|visitors? from|vpn|"
            r"legal reasons|gdpr"
        ),
        limit=1200,
    ),
)

PROTECTIONS = (
    (
        "Cloudflare",
        _pattern(
            r"cf-mitigated|cf[-_]chl|cf-browser-verification|/cdn-cgi/challenge-platform/h/|"
            r"cf-error-details|cloudflare ray id|attention required! \| cloudflare|cf-turnstile"
        ),
    ),
    (
        "Akamai",
        _pattern(
            r"errors\.edgesuite\.net|reference #\d+\.[0-9a-f]+\.|sec-if-cpt|akamai[- ]?(?:bot|ghost)|"
            r"_abck|bm-verify|behavioral-content"
        ),
    ),
    (
        "PerimeterX/HUMAN",
        _pattern(
            r"px-captcha|_pxappid|perimeterx|captcha\.px-cdn|human security|px-cloud\.net|"
            r"press (?:and|&amp;|&) hold to confirm"
        ),
    ),
    ("DataDome", _pattern(r"captcha-delivery\.com|x-datadome|datadome")),
    (
        "Imperva",
        _pattern(r"_incapsula_resource|incapsula|imperva|x-iinfo|visid_incap|pardon our interruption"),
    ),
    ("AWS WAF", _pattern(r"x-amzn-waf-action|awswaf|aws-waf-token|gokuprops")),
    ("Kasada", _pattern(r"kpsdk|x-kpsdk")),
    ("Vercel", _pattern(r"x-vercel-mitigated|vercel security checkpoint")),
    ("F5", _pattern(r"your support id is:? ?<?\d*|the requested url was rejected|/tspd/")),
    ("Sucuri", _pattern(r"sucuri website firewall|x-sucuri-block")),
    ("DDoS-Guard", _pattern(r"ddos-guard")),
    ("Fastly", _pattern(r"client challenge|/_fs-ch-")),
    ("Arkose Labs", _pattern(r"arkoselabs\.com|funcaptcha")),
    ("hCaptcha", _pattern(r"hcaptcha\.com|h-captcha")),
    ("reCAPTCHA", _pattern(r"google\.com/recaptcha|g-recaptcha|recaptcha/api")),
)
