"""Words whose change is never noise: negations and modal verbs, in the languages of policies."""

from __future__ import annotations

_NEGATION = """
no not never none neither nor cannot can't won't don't doesn't shan't isn't aren't without unless except
nicht kein keine keinen keiner ohne nie niemals weder
ne pas jamais sans aucun aucune ni
sin nunca ningún ninguna jamás
non mai senza nessun nessuna né
não sem nenhum nenhuma
niet geen nooit zonder
"""
_MODAL = """
may might must shall should will would can could ought
dürfen darf muss müssen soll sollen kann können werden wird
peut peuvent doit doivent pourra pourront devra devront
puede pueden debe deben podrá podrán deberá deberán
può possono deve devono potrà potranno dovrà dovranno
pode podem devem poderá poderão
kan kunnen moet moeten mag mogen zal zullen
"""
NEGATION = frozenset(_NEGATION.split())
MODAL = frozenset(_MODAL.split())
