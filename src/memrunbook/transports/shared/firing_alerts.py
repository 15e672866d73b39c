"""Asks a Prometheus server which alerts fire."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
from typing import Any

from memrunbook.core.errors import Unreachable
from memrunbook.core.text import clean
from memrunbook.runtime.outside import shown
from memrunbook.transports.shared.http_get import get

PATIENCE = 10.0
"""Seconds that the server is given."""
LARGEST = 1 << 20
SHOWN = 120
HINT = "see that it runs, and that the URL and the matchers are right: nothing is done while that is not known"


def firing_alerts(url: str, matchers: str, patience: float = PATIENCE) -> tuple[str, ...]:
    """The names of the firing alerts that label matchers (PromQL) choose; Unreachable where that cannot be told."""
    query = urllib.parse.urlencode({"query": f'ALERTS{{alertstate="firing",{matchers}}}'})
    try:
        said = json.loads(get(f"{url.rstrip('/')}/api/v1/query?{query}", {}, patience, LARGEST, redirects=True))
        return tuple(sorted({_name(one) for one in said["data"]["result"]}))
    except urllib.error.HTTPError as error:
        with error:
            why = f"it answers {error.code} {error.reason}"
    except (OSError, http.client.HTTPException) as error:
        why = str(getattr(error, "reason", error) or error)
    except (ValueError, KeyError, TypeError, RecursionError):
        why = "its answer is none of Prometheus"
    raise Unreachable(f"which alerts fire cannot be asked: {clean(why, SHOWN)}", where=shown(url), hint=HINT)


def _name(alert: Any) -> str:
    return clean(str(alert["metric"]["alertname"]), SHOWN)
