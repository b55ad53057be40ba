"""What platforms call the columns of their lists, in the languages that their users read."""

import re
from collections.abc import Iterable, Sequence

from grading.exchange.folding import identity, letters

# {kind: headers, folded by `letters`}: English, German, French, Spanish, Italian, Dutch, Portuguese.
IDS = {
    "student_id": "studentid studentnumber studentno sid universityid registrationnumber matriculationnumber "
    "matrikelnummer matrikelnr numeroetudiant numerodetudiant codeetudiant numerodeestudiante matricula "
    "numerodematricula matricola numerodimatricola studentnummer studentennummer numerodealuno numerodeestudante",
    "id": "id kennung",
    "org_defined_id": "orgdefinedid",  # Brightspace
    "login": "username login loginid userlogin netid benutzername anmeldename nutzername nomdutilisateur "
    "nombredeusuario usuario nomeutente gebruikersnaam nomedeutilizador nomedeusuario nomedousuario",
    "sis_login": "sisloginid",  # Canvas
    "id_number": "idnumber idnummer numerodidentification numerodeid numeroid numerodeidentificacion "
    "codiceidentificativo numeroidentificativo numerodiidentificazione numerodeidentificacao",
    "identifier": "identifier identifikator identifiant identificador identificatore identificativo identificatie "
    "rosteridentifier",
    "sis_id": "sisuserid",
    "user_id": "userid",
    "email": "email emailaddress mail emailadresse mailadresse adressedecourriel courriel adresseemail adressemail "
    "adresseelectronique correo correoelectronico direcciondecorreo direcciondecorreoelectronico direccionemail "
    "direcciondeemail indirizzoemail indirizzodiposta indirizzodipostaelettronica emailadres enderecodeemail "
    "enderecoemail enderecodecorreioeletronico enderecodecorreioelectronico enderecoeletronico correioeletronico",
    "github": "githubusername githublogin github",
    "github_id": "githubid",
    "canvas_id": "canvasid canvasuserid canvas",
}
# Which kind of id is the student's own, where several are there: what a school gives before what a platform gives.
OWN_ID = ("student_id", "id", "org_defined_id", "login", "sis_login", "id_number", "identifier", "sis_id", "user_id")
OWN_ID += ("email", "github", "canvas_id")
OTHERS = {
    "first_name": "firstname givenname vorname prenom nombre nombres nome voornaam primeironome nomeproprio",
    "last_name": "lastname surname familyname nachname familienname nom nomdefamille apellido apellidos cognome "
    "achternaam apelido apelidos sobrenome ultimonome",
    "full_name": "fullname name student studentname displayname vollstandigername nomcomplet nombrecompleto "
    "nomecompleto nomeecognome cognomenome volledigenaam naam",
    "group": "group groups gruppe gruppen groupe groupes grupo grupos gruppo gruppi groep groepen section sections",
}
GRADE = frozenset(
    ["grade", "bewertung", "note", "calificacion", "valutazione", "voto", "cijfer", "beoordeling", "nota", "avaliacao"]
)

KINDS = {header: kind for kinds in (IDS, OTHERS) for kind, headers in kinds.items() for header in headers.split()}
LOOKS_LIKE_AN_ID = re.compile("id$|login|username|number|email|^mail")

# Moodle's number of a person in one assignment: "Participant 7000", "Teilnehmer/in 7000"
PARTICIPANT = re.compile(r"(?:participante?|teilnehmer\S*|partecipante|deelnemer)\s*(\d+)", re.IGNORECASE)


def is_known(header: str) -> bool:
    return letters(header) in KINDS


def kinds(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """What each column holds: a kind of `IDS` or `OTHERS`; its own folded name if that looks like an id; or "".

    The values tell Moodle's numbers of participants, and the numbers by which Canvas alone knows people.
    """
    folded = [letters(header) for header in headers]
    found = [KINDS.get(name) or (name if LOOKS_LIKE_AN_ID.search(name) else "") for name in folded]
    if not {"first_name", "last_name"} <= set(found) and "full_name" not in found:  # "Nom" alone is the whole name
        found = ["full_name" if kind in ("first_name", "last_name") else kind for kind in found]
    values = [list(filter(None, column)) for column in zip(*rows, strict=True)] or [[] for _ in headers]
    for place, kind in enumerate(found):
        if values[place] and all(map(PARTICIPANT.fullmatch, values[place])):
            found[place] = "participant"
        elif kind == "id" and is_canvas(headers) and all(identity(value).isdigit() for value in values[place]):
            found[place] = "canvas_id"
    return found


def is_canvas(headers: Sequence[str]) -> bool:
    """Whether these are the columns of Canvas's gradebook."""
    folded = {letters(header) for header in headers}
    return {"student", "id"} <= folded and bool(folded & {"sisuserid", "sisloginid", "section"})


def is_brightspace(headers: Sequence[str]) -> bool:
    """Whether these are the columns of Brightspace's grades, where # stands before each id, so that Excel leaves it."""
    return not {"orgdefinedid", "endoflineindicator"}.isdisjoint(map(letters, headers))


def is_an_id(kind: str) -> bool:
    """Whether a column of this kind tells who a row belongs to. Names do not: two people can share one."""
    return bool(kind) and kind not in OTHERS
