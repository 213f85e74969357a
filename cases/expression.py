"""Values that a definition names: ``$field``, ``$subject.number``, ``$case.party_inn``, with ``± n``. Pure."""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"\$(?:(case|subject)\.)?([a-z_][a-z0-9_]*)(?: ([+-]) (\d+))?")


def resolve(
    expression: Any, payload: Mapping[str, Any], subject: Mapping[str, Any], case: Mapping[str, Any]
) -> Any:
    """The value of an expression; a constant is itself, a name without a value is None."""
    if not isinstance(expression, str) or not expression.startswith("$"):
        return expression
    found = _NAME.fullmatch(expression)
    if not found:
        raise ValueError(f"{expression} is no expression")
    scope, name, sign, step = found.groups()
    value = {"case": case, "subject": subject, None: payload}[scope].get(name)
    if step is None or not isinstance(value, int | float):
        return value
    return value + int(step) if sign == "+" else value - int(step)
