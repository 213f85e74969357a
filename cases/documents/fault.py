"""What is wrong inside a file: a stable code with the facts of its text. Imported by the child process: keep it light."""

from collections.abc import Mapping

# Code → what is told in Russian and in English; ``{name}`` and the other facts are filled in.
TEXTS: Mapping[str, tuple[str, str]] = {
    "lies": (
        "«{name}» назван как {named}, а внутри — {found}.",
        "“{name}” is named as {named}, but its content is {found}.",
    ),
    "unknown": (
        "Не удалось узнать формат файла «{name}».",
        "The format of “{name}” is not known.",
    ),
    "format": (
        "«{name}» — это {found}. Здесь принимаются: {allowed}.",
        "“{name}” is {found}. Accepted here: {allowed}.",
    ),
    "too-big": ("«{name}» больше {limit} МБ.", "“{name}” is larger than {limit} MB."),
    "empty": ("Файл «{name}» пуст.", "“{name}” is empty."),
    "encrypted": (
        "«{name}» защищён паролем. Сохраните его без пароля и приложите снова.",
        "“{name}” is encrypted. Save it without a password and attach it again.",
    ),
    "macros": (
        "В «{name}» есть макросы или программы. Сохраните его без них, лучше в PDF.",
        "“{name}” contains macros or programs. Save it without them, best as PDF.",
    ),
    "bomb": (
        "«{name}» при открытии разрастается сверх меры. Сохраните его заново или разделите.",
        "“{name}” swells beyond measure when it is opened. Save it anew or split it.",
    ),
    "damaged": (
        "«{name}» повреждён и не открывается. Сохраните его заново.",
        "“{name}” is damaged and does not open. Save it anew.",
    ),
    "low-dpi": (
        "У «{name}» разрешение {dpi} точек на дюйм, нужно не меньше {least}. Отсканируйте его заново.",
        "“{name}” has {dpi} dots per inch, at least {least} are needed. Scan it again.",
    ),
    "no-date": (
        "Укажите дату документа «{name}».",
        "Give the date of the document “{name}”.",
    ),
    "too-old": (
        "«{name}» от {dated} старше {days} дней. Приложите новый.",
        "“{name}” of {dated} is older than {days} days. Attach a new one.",
    ),
    "future": (
        "Дата документа «{name}» — {dated}, она ещё не наступила.",
        "The date of “{name}”, {dated}, has not come yet.",
    ),
    "virus": (
        "В «{name}» найден вирус: {signature}. Файл не сохранён.",
        "“{name}” carries a virus: {signature}. It was not kept.",
    ),
}


class FaultyFileError(Exception):
    """The file cannot be taken; ``code`` is a key of `TEXTS`."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
