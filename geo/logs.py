"""Logs: one line an event, on standard error; never local variables, which may hold secrets."""

import logging
import sys

import structlog


def configure() -> None:
    """Set up structlog; safe to repeat."""
    # A pool that waits for its database says so again and again; whoever asks is told by the error itself.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event")),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
