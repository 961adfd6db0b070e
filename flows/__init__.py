"""The order of things: refresh, its steps, its schedule, and the command line."""

import sys

# Told here, before anything is imported that an older Python does not have.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"citytrade: this is Python {sys.version_info[0]}.{sys.version_info[1]}."
        " Install Python 3.11 or later."
    )
