r"""Names of perfmon's objects and counters, in English and as other languages of Windows print them.

| perfmon | ours | unit |
|---|---|---|
| `Memory\Page Faults/sec` | faults | faults/s |
| `Memory\Page Reads/sec` | hard_faults | faults/s (read operations) |
| `Memory\Pages Input/sec` | pages_input | pages/s |
| `Memory\Transition Faults/sec` | transition_faults | faults/s |
| `Memory\Demand Zero Faults/sec` | demand_zero_faults | faults/s |
| `Memory\Cache Faults/sec` | cache_faults | faults/s |
| `Memory\Write Copies/sec` | write_copies | faults/s |
| `System\Context Switches/sec` | context_switches | switches/s |
| `Processor(_Total)\% User Time` | user_time | % |
| `Processor(_Total)\% Privileged Time` | system_time | % |
| `PhysicalDisk(_Total)\Avg. Disk sec/Transfer` | disk_await | s, times 1,000; 0 is not a transfer; English only |

`Processor Information(_Total)` goes before `Processor(_Total)`, which sees one group of processors only on guests
with more than 64. Names are compared without case, with one kind of blank.

Japanese and Chinese Windows print these names in English. A name that is missing in a language is simply not found;
a log of which nothing is found is refused with its names shown.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

_OF_TOTAL = ("user_time", "system_time", "disk_await")
_DISK = ("PhysicalDisk", "Avg. Disk sec/Transfer")


@dataclass(frozen=True, slots=True)
class CounterLanguage:
    """Windows' names in one language.

    Attributes:
        name: The language.
        source: Where the names were seen; names under `unverified` follow the pattern and were seen nowhere.
        memory: The object's name, then counters by our name.
        system: The same of the object System.
        processor: Names of the objects Processor and Processor Information, then counters.
        unverified: Our names of the counters, or the objects' names, that are not from the source.
    """

    name: str
    source: str
    memory: tuple[str, dict[str, str]]
    system: tuple[str, dict[str, str]]
    processor: tuple[tuple[str, ...], dict[str, str]]
    unverified: tuple[str, ...] = ()


ENGLISH = CounterLanguage(
    "English",
    "Windows; a log of all counters of a Windows machine",
    ("Memory", {
        "faults": "Page Faults/sec", "hard_faults": "Page Reads/sec", "pages_input": "Pages Input/sec",
        "transition_faults": "Transition Faults/sec", "demand_zero_faults": "Demand Zero Faults/sec",
        "cache_faults": "Cache Faults/sec", "write_copies": "Write Copies/sec",
    }),
    ("System", {"context_switches": "Context Switches/sec"}),
    (("Processor Information", "Processor"), {"user_time": "% User Time", "system_time": "% Privileged Time"}),
)  # fmt: skip

LANGUAGES: tuple[CounterLanguage, ...] = (
    ENGLISH,
    CounterLanguage(
        "German",
        "a public dump of the registry's Perflib\\007 (indices 4, 28-42, 142-146, 238, 822)",
        ("Arbeitsspeicher", {
            "faults": "Seitenfehler/s", "hard_faults": "Seitenlesevorgänge/s", "pages_input": "Seiteneingabe/s",
            "transition_faults": "Wechselfehler/s", "demand_zero_faults": "Nullforderungsfehler/s",
            "cache_faults": "Cachefehler/s", "write_copies": "Schreibkopien/s",
        }),
        ("System", {"context_switches": "Kontextwechsel/s"}),
        (("Prozessorinformationen", "Prozessor"),
         {"user_time": "Benutzerzeit (%)", "system_time": "Privilegierte Zeit (%)"}),
        ("Prozessorinformationen",),
    ),
    CounterLanguage(
        "French",
        "a public list of Get-Counter paths taken on a French Windows",
        ("Mémoire", {
            "faults": "Défauts de page/s", "hard_faults": "Lectures de pages/s", "pages_input": "Pages en entrée/s",
            "transition_faults": "Défauts en transit/s", "demand_zero_faults": "Défauts de page à zéro/s",
            "cache_faults": "Défauts de cache/s", "write_copies": "Copies pour écriture/s",
        }),
        ("Système", {"context_switches": "Changements de contexte/s"}),
        (("Informations sur le processeur", "Processeur"),
         {"user_time": "% temps utilisateur", "system_time": "% temps privilégié"}),
        ("Informations sur le processeur",),
    ),
    CounterLanguage(
        "Spanish",
        "public programs that read these counters on a Spanish Windows; context switches from translated manuals",
        ("Memoria", {
            "faults": "Errores de página/s", "hard_faults": "Lecturas de páginas/s",
            "pages_input": "Entrada de páginas/s", "transition_faults": "Errores de transición/s",
            "demand_zero_faults": "Errores de demanda cero/s", "cache_faults": "Errores de caché/s",
            "write_copies": "Copias de escritura/s",
        }),
        ("Sistema", {"context_switches": "Cambios de contexto/s"}),
        (("Información del procesador", "Procesador"),
         {"user_time": "% de tiempo de usuario", "system_time": "% de tiempo privilegiado"}),
        ("demand_zero_faults", "cache_faults", "system_time", "Información del procesador"),
    ),
    CounterLanguage(
        "Italian",
        "a public program that calls typeperf on an Italian Windows",
        ("Memoria", {
            "faults": "Errori di pagina/sec", "hard_faults": "Letture pagine/sec",
            "pages_input": "Input pagine/sec", "transition_faults": "Errori di transizione/sec",
            "demand_zero_faults": "Errori richiesta zero/sec", "cache_faults": "Errori cache/sec",
            "write_copies": "Copie in scrittura/sec",
        }),
        ("Sistema", {"context_switches": "Cambi di contesto/sec"}),
        (("Informazioni processore", "Processore"),
         {"user_time": "% Tempo utente", "system_time": "% Tempo privilegiato"}),
        ("transition_faults", "demand_zero_faults", "cache_faults", "write_copies", "context_switches"),
    ),
    CounterLanguage(
        "Portuguese (Brazil)",
        "translated manuals of monitoring products (page faults and reads); the rest follows the pattern",
        ("Memória", {
            "faults": "Falhas de página/s", "hard_faults": "Leituras de página/s",
            "pages_input": "Entrada de páginas/s", "transition_faults": "Falhas de transição/s",
            "demand_zero_faults": "Falhas de demanda zero/s", "cache_faults": "Falhas de cache/s",
            "write_copies": "Cópias de gravação/s",
        }),
        ("Sistema", {"context_switches": "Alternâncias de contexto/s"}),
        (("Informações do processador", "Processador"),
         {"user_time": "% tempo de usuário", "system_time": "% tempo privilegiado"}),
        ("transition_faults", "demand_zero_faults", "cache_faults", "write_copies", "context_switches",
         "user_time", "system_time"),
    ),
    CounterLanguage(
        "Russian",
        "public programs that read these counters on a Russian Windows; page faults from translated manuals",
        ("Память", {
            "faults": "Ошибок страницы/с", "hard_faults": "Чтений страниц/с", "pages_input": "Ввод страниц/с",
            "transition_faults": "Ошибок транзита/с", "demand_zero_faults": "Ошибок запроса нуля/с",
            "cache_faults": "Ошибок кэша/с", "write_copies": "Запись копий страниц/с",
        }),
        ("Система", {"context_switches": "Контекстных переключений/с"}),
        (("Сведения о процессоре", "Процессор"),
         {"user_time": "% работы в пользовательском режиме", "system_time": "% работы в привилегированном режиме"}),
        ("transition_faults", "demand_zero_faults", "cache_faults", "write_copies"),
    ),
)  # fmt: skip


def plain(name: str) -> str:
    """A name as it is compared: without case, composed, with single blanks."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


@cache
def known_counters() -> dict[tuple[str, str], tuple[str, int, str]]:
    """By plain object and counter: our name, rank among columns of that name (lowest goes first), language."""
    disk = (plain(_DISK[0]), plain(_DISK[1]))
    table: dict[tuple[str, str], tuple[str, int, str]] = {disk: ("disk_await", 0, ENGLISH.name)}
    for language in LANGUAGES:
        for thing, counters in (language.memory, language.system):
            for ours, theirs in counters.items():
                table.setdefault((plain(thing), plain(theirs)), (ours, 0, language.name))
        for rank, thing in enumerate(language.processor[0]):
            for ours, theirs in language.processor[1].items():
                table.setdefault((plain(thing), plain(theirs)), (ours, rank, language.name))
    return table


def our_counter(thing: str, instance: str, counter: str) -> tuple[str, int, str] | None:
    """Our name of a counter, its rank and the language; None where it is none of ours."""
    found = known_counters().get((plain(thing), plain(counter)))
    if found is None:
        return None
    wanted_instance = "_total" if found[0] in _OF_TOTAL else ""
    return found if instance.casefold() == wanted_instance else None
