"""Prefetching: the next item of a stream is made while the last one is worked on."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")


def prefetched(items: Iterator[Item], pool: Executor) -> Iterator[Item]:
    """The same items; each is asked for in ``pool`` as soon as the one before it is taken, the first one at once.

    No more than one item waits, so memory stays bounded. An error comes where its item would have come.
    """
    first: Future[Item | None] = pool.submit(next, items, None)

    def rest(coming: Future[Item | None]) -> Iterator[Item]:
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item

    return rest(first)
