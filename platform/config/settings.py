"""Django's settings, all taken from the environment (see `environment.py`).

`DRYDOCK_EMBEDDED=1` is the one-machine mode that `make up` runs: SQLite, a private Redis, loopback hosts.
Without it nothing is assumed: secrets, hosts, database and Redis must be named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import languages
from config.environment import Environment, broker, database, read_file

ROOT = Path(__file__).resolve().parent.parent.parent
TESTING = "pytest" in sys.modules
VAR = Path(os.environ.get("DRYDOCK_VAR", ROOT / "var"))
ENV_FILE = Path(os.environ.get("DRYDOCK_ENV_FILE", VAR / "drydock.env"))

# The suite must not depend on what an installation on the same disk has configured.
env = Environment(dict(os.environ) if TESTING else {**read_file(ENV_FILE), **os.environ})

DEBUG = env.flag("DRYDOCK_DEBUG", False)
EMBEDDED = env.flag("DRYDOCK_EMBEDDED", TESTING)
RELAXED = DEBUG or EMBEDDED
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.ReporterFilter"

SECRET_KEY = env.text("DRYDOCK_SECRET_KEY", "insecure-for-one-machine-only" * 2 if RELAXED else None)
# Between the web tier and the engine hosts: never shown to a learner.
HOST_SECRET = env.text("DRYDOCK_HOST_SECRET", SECRET_KEY if RELAXED else None)
ALLOWED_HOSTS = env.words("DRYDOCK_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if RELAXED else ())
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("DRYDOCK_ALLOWED_HOSTS is not set: name the hosts this site answers to")
CSRF_TRUSTED_ORIGINS = env.words("DRYDOCK_CSRF_TRUSTED_ORIGINS")
HTTPS = env.flag("DRYDOCK_HTTPS", not RELAXED)
#: Whose word counts for the client's address and scheme; nobody's unless named.
TRUSTED_PROXIES = env.networks("DRYDOCK_TRUSTED_PROXIES")

INSTALLED_APPS = [
    "config.apps.DrydockConfig",
    "accounts.apps.AccountsConfig",
    "course.apps.CourseConfig",
    "review.apps.ReviewConfig",
    "runs.apps.RunsConfig",
    "workspace.apps.WorkspaceConfig",
    "grading.apps.GradingConfig",
    "api.apps.ApiConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "config.apps.BuiltFilesConfig",
    "channels",
    "csp",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.StaticFilesMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.GuestMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.PasswordMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.guest",
            ],
        },
    },
]

# -- data -------------------------------------------------------------------------------------------

DATABASE_URL = env.text(
    "DRYDOCK_DATABASE_URL",
    env.values.get("DATABASE_URL") or (f"sqlite:///{VAR / 'drydock.sqlite3'}" if RELAXED else None),
)
DATABASES = {"default": database(DATABASE_URL, ROOT)}
if TESTING and DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # On disk, because threads with connections of their own take part; without fsync, because nobody will miss it.
    DATABASES["default"]["TEST"] = {"NAME": f"{tempfile.gettempdir()}/drydock-test-{os.getpid()}.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"
REDIS_URL = env.text(
    "DRYDOCK_REDIS_URL", env.values.get("REDIS_URL") or ("redis://127.0.0.1:6379/0" if RELAXED else None)
)
if TESTING:
    CACHES: dict[str, Any] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "drydock",
        }
    }

# -- who is asking ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = env.text("DRYDOCK_EMAIL_VERIFICATION", "none" if RELAXED else "optional")
if ACCOUNT_EMAIL_VERIFICATION not in ("none", "optional", "mandatory"):
    raise ImproperlyConfigured("DRYDOCK_EMAIL_VERIFICATION: none, optional or mandatory expected")
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_USERNAME_MIN_LENGTH = 2
ACCOUNT_USERNAME_BLACKLIST = ["admin", "root", "system", "guest"]
if TESTING:
    ACCOUNT_RATE_LIMITS: bool | dict[str, str] = False
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if "DRYDOCK_EMAIL_HOST" in env.values
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = env.text("DRYDOCK_EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("DRYDOCK_EMAIL_PORT", 25, minimum=1)

# -- languages and time -----------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = languages.all_of_them()
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

# -- files ------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "static"] if (ROOT / "static").is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if TESTING or DEBUG
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = TESTING or DEBUG
# A file is looked for when it is asked for: each client of a test has middlewares of its own, and would list them all.
WHITENOISE_AUTOREFRESH = TESTING or DEBUG
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# -- what a browser is told -------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # The terminal and the editor style themselves through constructable sheets, which need no exception.
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        # 'self' covers the WebSocket of the same origin (CSP level 3).
        "connect-src": [SELF],
        # Previews alone may be framed; they are sandboxed.
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS and env.flag("DRYDOCK_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = env.number("DRYDOCK_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = False

# -- Celery -----------------------------------------------------------------------------------------

CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 60
CELERY_TASK_SOFT_TIME_LIMIT = 45
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker killed outright returns its task to the queue after this many seconds; tasks are idempotent.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 150, "global_keyprefix": "drydock:celery:"}
CELERY_TASK_DEFAULT_QUEUE = "labs"
CELERY_TASK_ROUTES = {"runs.tasks.*": {"queue": "labs"}, "grading.tasks.*": {"queue": "grading"}}
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True

# -- the API ----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "api.throttling.StrangersThrottle",
        "rest_framework.throttling.UserRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": env.text("DRYDOCK_THROTTLE_ANON", "120/min"),
        "user": env.text("DRYDOCK_THROTTLE_USER", "600/min"),
        "submissions": env.text("DRYDOCK_THROTTLE_SUBMISSIONS", "120/min"),
    },
    "EXCEPTION_HANDLER": "api.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Drydock API",
    "DESCRIPTION": "Lessons, labs, runs, submissions and grades.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# -- runs -------------------------------------------------------------------------------------------

# Runs of one user that a host keeps awake; others sleep until they are used again.
RUN_LIMIT = env.number("DRYDOCK_RUN_LIMIT", 6, minimum=1)
RUN_LIMIT_GUEST = env.number("DRYDOCK_RUN_LIMIT_GUEST", 3, minimum=1)
# What the runs of one user may keep in the database.
RUN_KEPT_MB = env.number("DRYDOCK_RUN_KEPT_MB", 250, minimum=1)
RUN_KEPT_MB_GUEST = env.number("DRYDOCK_RUN_KEPT_MB_GUEST", 50, minimum=1)
# After so many days guests are forgotten that were not seen, and the histories of runs that ended.
RETENTION_DAYS = env.number("DRYDOCK_RETENTION_DAYS", 90, minimum=1)
GUESTS_PER_HOUR = env.number("DRYDOCK_GUESTS_PER_HOUR", 60, minimum=1)
RUN_IDLE_SECONDS = env.number("DRYDOCK_RUN_IDLE_SECONDS", 20 * 60, minimum=5)
RUN_BOOT_WAIT_SECONDS = env.number("DRYDOCK_RUN_BOOT_WAIT_SECONDS", 15, minimum=1)
RUN_JOURNAL_LIMIT = env.number("DRYDOCK_RUN_JOURNAL_LIMIT", 20_000, minimum=100)
HOST_BIND = env.text("DRYDOCK_HOST_BIND", "127.0.0.1")
HOST_PORT = env.number("DRYDOCK_HOST_PORT", 0)
HOST_ADVERTISE = env.text("DRYDOCK_HOST_ADVERTISE", "")
HOST_LEASE_SECONDS = env.number("DRYDOCK_HOST_LEASE_SECONDS", 6, minimum=3)
HOST_MAX_RUNS = env.number("DRYDOCK_HOST_MAX_RUNS", 2000, minimum=1)
#: Where the terminals' confined programs find their files; a folder for each host, swept when the next one starts.
SCRATCH = VAR / "scratch"
REQUIRE_LANDLOCK = env.flag("DRYDOCK_REQUIRE_LANDLOCK", not RELAXED)
CHECK_SECONDS = env.number("DRYDOCK_CHECK_SECONDS", 20, minimum=1)
GRADING_SOFT_SECONDS = env.number("DRYDOCK_GRADING_SOFT_SECONDS", 20, minimum=1)
GRADING_HARD_SECONDS = env.number("DRYDOCK_GRADING_HARD_SECONDS", 30, minimum=2)

# -- logs -------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request": {"()": "config.logs.RequestIdFilter"},
        "brief": {"()": "config.logs.BriefRefusals"},
        "refused": {"()": "config.logs.RefusedHandshakes"},
    },
    "formatters": {"line": {"()": "config.logs.LineFormatter"}, "json": {"()": "config.logs.JsonFormatter"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request", "brief"],
            "formatter": env.text("DRYDOCK_LOG_FORMAT", "line" if RELAXED else "json"),
        },
    },
    "root": {"handlers": ["console"], "level": env.text("DRYDOCK_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR" if TESTING else "WARNING"},
        "httpx": {"level": "WARNING"},
        "uvicorn.error": {"filters": ["refused"]},
        "websockets": {"level": "WARNING"},
    },
}
