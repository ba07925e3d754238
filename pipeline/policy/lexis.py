"""Words that weigh: negations and modal verbs, never noise; and those of date lines, which are little else."""

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
_STAMP = """
last latest most recently recent updated update effective date dated as of on from since starting in force into effect
revised revision modified amended amendment version edition published publication posted issued current created
reviewed changed approved the this these is are was were been has it its our at over about ago and time datetime
policy policies privacy terms service services use notice agreement statement document page content conditions
stand gültig ab vom zuletzt aktualisiert datum letzte aktualisierung version fassung in kraft seit
mise à jour dernière le la les du de date entrée en vigueur depuis
última actualización actualizado fecha vigencia vigente desde el en vigor
ultimo aggiornamento aggiornato data in vigore dal il
atualização atualizado vigência em desde
laatst bijgewerkt datum van kracht sinds
"""
NEGATION = frozenset(_NEGATION.split())
MODAL = frozenset(_MODAL.split())
STAMP = frozenset(_STAMP.split())  # what a line says that does no more than date its document
