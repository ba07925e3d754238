"""How much an English word tells, by its stem: little when policies or news use it often.

Counted over some 21,000 paragraphs of policies of 73 services (Open Terms Archive, ODC-BY 1.0) and 12,000
sentences of news (ECB+, CC BY 3.0). A weight is the natural logarithm of one in how many paragraphs has the
word, in the source where it is commoner; words that stories about services always use are set to 3,
and names of services and of their heads, which tell of whom and not of what, to 2.5.
"""

from __future__ import annotations

from functools import lru_cache

RARE = 6.0  # the weight of a word that is not listed
DIGITS = 4.0  # of a word of digits, which is compared by value elsewhere


@lru_cache(maxsize=1)
def weights() -> dict[str, float]:
    """Return the weight of every listed stem."""
    rows = (line.split() for line in LISTED.splitlines() if line)
    listed: dict[str, float] = {}
    for weight, *words in rows:
        listed |= dict.fromkeys(words, float(weight.rstrip(":")))
    return listed


def weight(stem: str) -> float:
    """Return how much a stem tells, from 1 (nothing) to 6 (a lot)."""
    return DIGITS if stem.isdigit() else weights().get(stem, RARE)


LISTED = """
1.5: data information servic use
2.0: content includ personal provid said user
2.5: access account collect exampl law parti polici privaci process right shar term third year
3.0: address allow announc app applicabl certain chang chatbot compani contact devic email featur fir
3.0: follow help internet launch legal mak media model new one onlin peopl platform pleas polic post
3.0: product public purpos receiv relat report request requir say set sit social tech tim todai tool two
3.0: updat used using websit
3.5: action activiti additional ads advertis agre agreement ai api appli application availabl back bas
3.5: business cas com compli consent control cooki creat customer day delet describ detail developer
3.5: enabl experienc first gam github improv individual interest kill last learn lik limit link
3.5: location man mean nam necessari need non notic number offer order other otherwis pag part partner
3.5: payment profil protect protection provider relevant remov review season section securiti see send
3.5: specific stat stor subject support tak team thre typ via video
4.0: accord accordanc act ad affiliat age another appropriat around arrest ask associat attack authoriti
4.0: automaticalli behalf believ browser build bush call car categori charg chief choos citi claim click
4.0: client coach colt communication communiti complianc condition connection contain contract copi
4.0: countri court dat death depend died direct directli disclos displai don end engag ensur even event
4.0: exercis extent famili felt fil form found four fridai get giv group guidelin harm head hit host http
4.0: identifi identifier ip issu keep legitimat licens list log mad maintain manag market material measur
4.0: member messag million mobil mr murder network night not obligation offic officer old
4.0: operat opt organization paid perform permission permit person phon pirat plac plai point practic
4.0: preferenc president prevent promot properti purchas read record refer regard regulation releas
4.0: requirement responsibl restrict result retain run safeti saturdai search second shoot shot show sign
4.0: similar softwar sourc speci street submit system technical technologi told transfer understand unit
4.0: unless usag version view violat violation visit want way web week well work yard
4.5: abl abus across add addition administration advertiser affect agenci agent aggregat alwai american
4.5: analytic area attempt attornei authoriz awai bank basis becam behavior benjamin br breach break cabl
4.5: cam cannot card career carri caus center channel check cheek child children choic church cod
4.5: collection comment commercial communicat complaint complet conduct connect consider consumer context
4.5: continu copyright counti damag decision defin deliver department deputi design determin develop
4.5: different director disabl disclosur disput distribut document download driv earli eight either
4.5: encourag endanger enforc enforcement entiti eu european except fac facilitat federal fee feedback
4.5: find fiv ford former fraud fre functionaliti general generat gigant go going good got govern
4.5: government grant gulf gun half hand hansbrough health high histori hom hour hous however id identiti
4.5: ii illegal imag injur instruction intend interact interaction jurisdiction klitschko know languag
4.5: laru later lead least left liabiliti lif limitation liv local locat long longer look mani
4.5: manner mark meet men method minor minut modifi mondai month morn mother mov mozilla much national
4.5: never next nixon notifi notification npm obama obtain official open option oscar outsid participat
4.5: particular pass password patch performanc period personaliz photo physical pinterest player playoff
4.5: possibl prior prison privat program prohibit provision publicli publish put question reason
4.5: reasonabl register remain research resolv respect respond restriction return riot risk round rul
4.5: saint sal scen scor secur select sell sent sentenc serv server several sexual sinc six someon
4.5: standard start statement still stop subscription sundai suspect suspend target teixeira terminat
4.5: text thursdai titl took track transaction tuesdai uk unauthoriz upload verifi vessel viewer
4.5: watergat wechat wednesdai went wikimedia william win woman written
5.0: abiliti accept accessibl acknowledg aden advertisement ago alreadi amount analyz angel anyon
5.0: apartment appeal appear approv arbitration aris arm articl assistant athen audienc audio
5.0: automat awar award becom began behind best better betti big bill block board boat bodi bomb brand
5.0: brok brother brows california campaign central charger chat circumstanc claus clear clos cloud co
5.0: collectiveli computer concern conferenc confidential confirm contractual controller conversation
5.0: corporat correct cover creator credential credit creighton crim current cut dead deal decad december
5.0: decid deep defens degener deletion depict description designat detect development digital discretion
5.0: distribution district door dr driver earlier east economic edit educational eea effect effectiv
5.0: effort egypt election element els employe enhanc enter enterpris error escap etc exception exclusiv
5.0: exist expect explain exploit explorer express expressli fan fbi field fight film financial firefox
5.0: fix forc forth foundation fourth friend front full function gang gas gav gdpr generalli given global
5.0: grai greec greek handl happen hard harmful hear held hiller himself hold homeserver hospital human
5.0: ie iii immediateli important inc indian indicat inform infring injuri input ins insid install
5.0: instanc intellectual interior international investigat investigation involv item jackson job john
5.0: judg juli jun juri kind kingdom known lacalamita lat leav led legalli let level liabl lin littl
5.0: lohan los loss lot maid mail management march matrix mcdermott medical merchant mislead miss monitor
5.0: movi multipl nation natur navi near nichol noth object october operation opportuniti org orozco
5.0: ortiz owner packag palin parent past pay percent philadelphia pick plan pm potential problem
5.0: procedur proceed professional project promotion promotional prosecutor pull pursuant qualiti quarter
5.0: real reasonabli recommendation red referenc regardless region rehab relation relationship reli
5.0: removal reporter repositori represent representativ reserv resident resourc respons responsibiliti
5.0: retention rol ross rush saf safeguard sav saw school scientist seacom seek seem seen self sensitiv
5.0: september seven sheriff ship short shown sixer snap sol soleli son sox spam specifi stand
5.0: star status step storag stori strik suffer sur switzerland taken talk termination thing think thoma
5.0: thompson though throat toni top touchdown trad trademark train transmit tri trial try turn twitch
5.0: union uniqu usernam valid valu various victim villag violenc violent vulnerabiliti walk
5.0: warranti washington watch whit wildlif window wish witness women won woodward worker world writ www
5.0: yesterdai yet york young
5.5: abusiv academi accident accuraci accurat accus activ actress actual additionalli adjust administer
5.5: administrativ administrator adult advanc afternoon agr aid alaska alleg allegedli almost along
5.5: although among analysis andrew anger anti anyth approach april arson artistic
5.5: asset assign assist atlanta audit authentication authorization availabiliti avoid aws bad ball bear
5.5: belief benefit bind black blaz blood blueski book born boss brien bring brooklyn brought bullet
5.5: button buy calendar camera cancel candidat capital captur carefulli carolina catch caught ccpa
5.5: champion chanc charl chris christma class clearli climber club coast combin comeaux commission
5.5: commit committe competent confidentialiti conflict consistent constitut consultation controll
5.5: convict cop cost count cours crew criminal critical cross crowd currentli customiz dangerous databas
5.5: daughter david de deceptiv deem default defend degre deliveri demographic deni deriv despit destroi
5.5: detroit didn die diego documentari documentation doesn domain doubl dozen drak drop due dui duration
5.5: earthquak echeniqu effectiveness elect electronic eligibl ellen emergenci engagement enough entir
5.5: entitl essential estimat europ evaluat ever everi everyon exchang exclud expert explicit explicitli
5.5: export extension faciliti fail failur faith fall fals far feed feel fell fifth figur final
5.5: finalli finish firm fish flaw fle floor foot forego format forward framework franc franchis fulfill
5.5: fulli futur gari gender genoves girl gmt gom graphic great ground guarante guard guardian guilti guy
5.5: heard heart heavyweight helicopter herebi herein herself hop horton hunger identifiabl
5.5: identification imageri impact implement impli improvement inaccurat incident incorporat india
5.5: indianapolis industri infer info infringement inquiri instead integrat integration integriti intent
5.5: interfac interfer internal interview iran ireland island isn iv jackman jaguar jail jam jenkin
5.5: jewelleri join jon juror justic key king kne kraft label land lasall latest lawful lawyer leader
5.5: less likeli lindsai lionsgat lock login logo lopez lost lov ltd luck lyft machin mafia magazin major
5.5: malicious manager map marketplac mat matter mechanism medium membership merger metadata metric middl
5.5: mil mind minimum mistral misus mitchell modification moment monei monetization music mysor natural
5.5: nba nearbi nearli neighborhood newspaper nfl nin north november often oil optional original orlean
5.5: outlin output overturn own ownership palmer paris park parliament participation patrol penalti per
5.5: permanentli personalis personalli pictur piraci pixel plant political portion position power present
5.5: press prevention previous pric principl probabli processor promis promptli properli proprietari
5.5: protest protester protocol publisher qeshm quak queen queri rahman ran rang rank rat reach realli
5.5: rebound receiver recent recentli recipient recogniz recommend recover reflect refund reggi
5.5: registration regulatori reid remedi remember repair repli rescu resid resolution rest restor reveal
5.5: revenu room rout sam san schedul scienc scientific screen sea secretari senior separat sequel seri
5.5: serious session shop shortli sid sister situation sixth small smith somali someth sometim soon south
5.5: southern special specificalli speech spent spokesman spot spread stai station stream struck
5.5: struggl student subscrib subsidiari suggest suggestion suicid sukanya summari surgeon survei
5.5: suspension suspicion suspicious swiss sync tag tax teenager telephon tell temporari test testifi
5.5: themselv thereof thought threat threaten threw throw together total toward traffic treat treatment
5.5: trust turkmenistan twilight universiti unlawful url vari varieti vector vehicl verification victori
5.5: vincent visibl visitor voic vot waiv warn warrant warship wayn weapon weekend west whos wif withdraw
5.5: wladimir word worth wound wrot xanga xbox yourself youth zon
2.5: adob alphabet altman amazon android anthropic appl bezo bing bytedanc chatgpt claud discord elon
2.5: facebook gemini gmail googl instagram iphon linkedin meta microsoft musk netflix openai pichai
2.5: reddit snapchat spacex spotifi telegram tesla tiktok twitter uber whatsapp youtub zuckerberg
"""
