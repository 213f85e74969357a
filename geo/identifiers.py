"""Identifiers of the field and their check digits (DOMAIN §1.1–1.3); digits are those of ASCII alone."""

import re

_LATIN_TO_CYRILLIC = str.maketrans("ABCEHKMOPTXY", "АВСЕНКМОРТХУ")
_LICENCE = re.compile(r"([А-ЯЁ]{3})\s*([0-9]{5,6})\s*([А-ЯЁ]{2})")
_CADASTRAL = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{6,7}:[0-9]+")
_QUARTER = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{6,7}")


def whole_number(text: str) -> int | None:
    """The whole number that somebody typed, at most 18 digits, so that it fits an id; None where it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def region_is_valid(region: str) -> bool:
    """Whether a region's code has its two digits."""
    return re.fullmatch(r"[0-9]{2}", region) is not None


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False)) % 11 % 10


def inn_is_valid(inn: str) -> bool:
    """Whether a taxpayer number of 10 or 12 digits has right control digits; region 00 does not exist."""
    if not re.fullmatch(r"[0-9]{10}|[0-9]{12}", inn) or inn.startswith("00"):
        return False
    if len(inn) == 10:
        return int(inn[9]) == _weighted(inn, (2, 4, 10, 3, 5, 9, 4, 6, 8))
    return int(inn[10]) == _weighted(inn, (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)) and int(inn[11]) == _weighted(
        inn, (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
    )


def ogrn_is_valid(ogrn: str) -> bool:
    """Whether a state registration number of 13 (company) or 15 digits (entrepreneur) has a right control digit."""
    if re.fullmatch(r"[15][0-9]{12}", ogrn):
        return int(ogrn[12]) == int(ogrn[:12]) % 11 % 10
    if re.fullmatch(r"3[0-9]{14}", ogrn):
        return int(ogrn[14]) == int(ogrn[:14]) % 13 % 10
    return False


def snils_is_valid(snils: str) -> bool:
    """Whether an insurance number has a right control sum; numbers up to 001-001-998 have none."""
    digits = re.sub(r"[^0-9]", "", snils)
    if len(digits) != 11:
        return False
    if int(digits[:9]) <= 1001998:
        return True
    total = sum(int(d) * (9 - i) for i, d in enumerate(digits[:9])) % 101
    return int(digits[9:]) == (0 if total == 100 else total)


def kpp_is_valid(kpp: str) -> bool:
    """Whether a tax registration reason code has the right form; it has no control digit."""
    return re.fullmatch(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}", kpp) is not None


def account_is_valid(account: str, bik: str) -> bool:
    """Whether a bank account of 20 digits fits the bank's BIK."""
    if not (re.fullmatch(r"[0-9]{20}", account) and re.fullmatch(r"[0-9]{9}", bik)):
        return False
    prefix = "0" + bik[4:6] if account.startswith("301") else bik[6:]
    return sum(int(d) * (7, 1, 3)[i % 3] % 10 for i, d in enumerate(prefix + account)) % 10 == 0


def licence_number(text: str) -> str:
    """A subsoil licence number as «НОВ 12345 ТЭ»; ValueError where it is none. Latin look-alikes are mapped."""
    match = _LICENCE.fullmatch(re.sub(r"[\s-]+", " ", text.strip().upper()).translate(_LATIN_TO_CYRILLIC))
    if not match:
        raise ValueError("a licence number has a series of three letters, 5 or 6 digits and two letters")
    return " ".join(match.groups())


def cadastral_number(text: str) -> str:
    """A cadastral number ``AA:BB:CCCCCC(C):K``; ValueError where it is none."""
    cleaned = re.sub(r"\s+", "", text)
    if not _CADASTRAL.fullmatch(cleaned):
        raise ValueError("a cadastral number has the form AA:BB:CCCCCC:K")
    return cleaned


def cadastral_quarter(text: str) -> str:
    """A cadastral quarter ``AA:BB:CCCCCC(C)``; ValueError where it is none."""
    cleaned = re.sub(r"\s+", "", text)
    if not _QUARTER.fullmatch(cleaned):
        raise ValueError("a cadastral quarter has the form AA:BB:CCCCCC")
    return cleaned
