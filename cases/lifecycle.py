"""The states of a case; pure, without database or web."""

from enum import StrEnum


class State(StrEnum):
    """Where a case stands."""

    draft = "draft"
    submitted = "submitted"
    accepted = "accepted"
    in_review = "in_review"
    correction_asked = "correction_asked"
    answered = "answered"
    approved = "approved"
    rejected = "rejected"
    closed = "closed"
    withdrawn = "withdrawn"
    suspended = "suspended"
    appealed = "appealed"
