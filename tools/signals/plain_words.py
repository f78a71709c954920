"""Questions in other languages, word by word: the senses' grammar does not mind their order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from tools.signals.vocabulary import FILLERS, meanings_of

_TABLES = {
    "German": """
        wann=when wer=somebody wo=where der= die= das= den= dem= des= ein=a eine=a einen=a
        einer=a ist=is sind=are war=was wird=turns wurde=was gibt=is es=it im=in in=in ins=in
        am=at auf=on zu= mir=me bitte= zeig=show zeige=show finde=find da=there dort=there
        und=and jemand=somebody jemanden=somebody niemand=nobody keiner=nobody nichts=nothing
        etwas=something person=person personen=people mensch=person menschen=people leute=people
        leer=empty leerer=empty bildschirm=screen bild=picture bilder=pictures raum=room
        zimmer=room kamera=camera szene=scene szenen=scenes einstellung=shot schnitt=cut
        schnitte=cuts schwarz=black schwarzes=black schwarzer=black weiß=white weiss=white
        weißes=white weißer=white dunkel=dark dunkles=dark dunkler=dark dunkle=dark hell=bright
        helles=bright rot=red rotes=red roter=red rote=red orange=orange braun=brown
        braunes=brown gelb=yellow gelbes=yellow gelber=yellow grün=green grünes=green
        grüner=green grüne=green blau=blue blaues=blue blauer=blue blaue=blue lila=purple
        rosa=pink kommt=comes herein=in rein=in hinein=in betritt=enters erscheint=appears
        auftaucht=appears sieht=seen sehen=seen man= verlässt=leaves geht=leaves weg=away
        raus=out hinaus=out verschwindet=disappears bewegt=moves bewegung=movement sich=
        still=still ruhig=still schwenkt=pans zoomt=zooms links=left rechts=right oben=top
        unten=bottom mitte=middle wechselt=changes ändert=changes flackert=flickers text=text
        schrift=writing wort=word titel=title untertitel=subtitles zahl=number zahlen=numbers
        steht=says erste=first ersten=first erster=first zweite=second zweiten=second
        zweiter=second dritte=third dritten=third vierte=fourth letzte=last letzten=last
        letzter=last längste=longest kürzeste=shortest mal=time video=video wie= oft= viele=
        gezeigt=shown zeigt=shows""",
    "Spanish": """
        cuándo=when quién=somebody cuando=when dónde=where el= la= los= las= un=a una=a es=is
        son=are está=is están=are hay=is se= en=in a= de= del= al= por= favor= muéstrame=show
        muestra=show enséñame=show y=and alguien=somebody nadie=nobody nada=nothing
        algo=something persona=person personas=people gente=people vacío=empty vacía=empty
        vacio=empty vacia=empty pantalla=screen imagen=picture sala=room habitación=room
        cuarto=room cámara=camera camara=camera escena=scene escenas=scenes toma=shot plano=shot
        corte=cut cortes=cuts negro=black negra=black blanco=white blanca=white oscuro=dark
        oscura=dark claro=bright brillante=bright rojo=red roja=red naranja=orange marrón=brown
        amarillo=yellow amarilla=yellow verde=green azul=blue morado=purple rosa=pink
        entra=enters entran=enters llega=arrives aparece=appears sale=leaves salen=leaves
        va=leaves desaparece=disappears mueve=moves movimiento=movement quieta=still fija=fixed
        izquierda=left derecha=right arriba=top abajo=bottom medio=middle cambia=changes
        parpadea=flickers texto=text palabra=word título=title subtítulos=subtitles
        número=number números=numbers dice=says primer=first primera=first primero=first
        segundo=second segunda=second tercer=third tercera=third tercero=third último=last
        última=last ultimo=last vez=time vuelve=turns pone=turns queda=turns video=video
        vídeo=video muestra=shows no=not""",
    "French": """
        quand=when qui=somebody où=where est=is ce= que= qu= le= la= les= l= un=a une=a des= du=
        de= d= sont=are il=it elle=it y= a= au=at à=at dans=in sur=on en=in se= s= montre=show
        moi=me trouve=find quelqu=somebody chose=thing quelque=some personne=nobody rien=nothing
        n= ne= gens=people vide=empty vides=empty écran=screen image=picture pièce=room
        salle=room caméra=camera scène=scene scènes=scenes plan=shot coupe=cut coupure=cut
        coupures=cuts noir=black noire=black blanc=white blanche=white sombre=dark obscur=dark
        clair=bright lumineux=bright rouge=red orange=orange marron=brown brun=brown
        jaune=yellow vert=green verte=green bleu=blue bleue=blue violet=purple rose=pink
        entre=enters arrive=arrives apparaît=appears apparait=appears sort=leaves part=leaves
        quitte=leaves disparaît=disappears bouge=moves mouvement=movement immobile=still
        fixe=fixed gauche=left droite=right haut=top bas=bottom milieu=middle change=changes
        clignote=flickers texte=text mot=word titre=title sous= titres=subtitles nombre=number
        chiffres=numbers dit=says premier=first première=first deuxième=second second=second
        seconde=second troisième=third dernier=last dernière=last fois=time devient=turns
        vidéo=video et=and""",
    "Italian": """
        quando=when dove=where il= lo= la= i= gli= le= l= un=a uno=a una=a è=is sono=are c= ci=
        si= in=in nel=in nella=in sullo=on su=on di= del= a= mostrami=show trova=find
        qualcuno=somebody nessuno=nobody niente=nothing nulla=nothing qualcosa=something
        persona=person persone=people vuoto=empty vuota=empty schermo=screen immagine=picture
        stanza=room sala=room telecamera=camera camera=camera scena=scene scene=scenes
        inquadratura=shot taglio=cut tagli=cuts stacco=cut nero=black nera=black bianco=white
        bianca=white buio=dark scuro=dark scura=dark luminoso=bright rosso=red rossa=red
        arancione=orange marrone=brown giallo=yellow verde=green blu=blue azzurro=blue
        viola=purple rosa=pink entra=enters arriva=arrives appare=appears esce=leaves va=leaves
        via=away scompare=disappears muove=moves movimento=movement ferma=still fissa=fixed
        sinistra=left destra=right cambia=changes testo=text parola=word titolo=title
        sottotitoli=subtitles numero=number numeri=numbers dice=says primo=first prima=first
        secondo=second seconda=second terzo=third terza=third ultimo=last ultima=last volta=time
        diventa=turns video=video e=and""",
    "Portuguese": """
        quando=when onde=where o= a= os= as= um=a uma=a é=is são=are está=is há=is se= em=in
        no=in na=in de= do= da= ao=at à=at mostre=show me=me alguém=somebody ninguém=nobody
        nada=nothing algo=something pessoa=person pessoas=people vazio=empty vazia=empty
        tela=screen ecrã=screen imagem=picture sala=room quarto=room câmera=camera câmara=camera
        cena=scene cenas=scenes plano=shot corte=cut cortes=cuts preto=black preta=black
        branco=white branca=white escuro=dark escura=dark claro=bright vermelho=red vermelha=red
        laranja=orange castanho=brown marrom=brown amarelo=yellow verde=green azul=blue
        roxo=purple rosa=pink entra=enters chega=arrives aparece=appears sai=leaves
        desaparece=disappears move=moves mexe=moves movimento=movement parada=still fixa=fixed
        esquerda=left direita=right muda=changes texto=text palavra=word título=title
        legendas=subtitles número=number números=numbers diz=says primeiro=first primeira=first
        segundo=second segunda=second terceiro=third terceira=third último=last última=last
        vez=time fica=turns vídeo=video e=and""",
    "Dutch": """
        wanneer=when waar=where de= het= een=a is=is zijn=are er= wordt=turns in=in op=on naar=
        van= laat=show zie=seen te= toon=show iemand=somebody niemand=nobody niets=nothing
        iets=something persoon=person mensen=people leeg=empty scherm=screen beeld=picture
        kamer=room camera=camera scène=scene shot=shot knip=cut zwart=black wit=white
        donker=dark licht=bright rood=red oranje=orange bruin=brown geel=yellow groen=green
        blauw=blue paars=purple roze=pink komt=comes binnen=in verschijnt=appears
        vertrekt=leaves gaat=leaves weg=away verdwijnt=disappears beweegt=moves
        beweging=movement stil=still links=left rechts=right verandert=changes tekst=text
        woord=word titel=title ondertitels=subtitles nummer=number getal=number zegt=says
        eerste=first tweede=second derde=third laatste=last keer=time video=video en=and""",
}


def in_english(words: Sequence[str]) -> str:
    """The words in English, one after the other; empty where no language has them all.

    Args:
        words: Of a question, in lower case.
    """
    for table in _tables():
        if all(word in table for word in words):
            return " ".join(filter(None, (table[word] for word in words)))
    return ""


def in_other_language(words: Sequence[str]) -> bool:
    """Whether most of the words, and more than one, are of one of these languages alone."""
    strange = [word for word in words if not meanings_of(word) and word not in FILLERS]
    return any(
        len(known) > 1 and 2 * len(known) >= len(words)
        for table in _tables()
        if (known := [word for word in strange if word in table])
    )


@cache
def _tables() -> list[dict[str, str]]:
    return [
        dict(entry.split("=", maxsplit=1) for entry in entries.split() if "=" in entry)
        for entries in _TABLES.values()
    ]
