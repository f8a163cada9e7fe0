"""What Django's error pages and mails show of the settings: addresses may hold passwords, so they are hidden too."""

from __future__ import annotations

import re

from django.views.debug import SafeExceptionReporterFilter


class ReporterFilter(SafeExceptionReporterFilter):
    """Hides what Django hides, and every setting that says where a database, Redis or a broker is."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|DATABASE|REDIS|BROKER|CACHES|CHANNEL_LAYERS",
        flags=re.IGNORECASE,
    )
