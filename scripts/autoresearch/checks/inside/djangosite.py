"""A site for Django applications of this folder that have none: in memory, with rows in every table and a user who may
do everything. Imported by the code of a check: `import djangosite; get = djangosite.site("todo")`, then `get("/")`.

A project with a manage.py keeps its settings, but for the database.
"""

import contextlib
import datetime
import decimal
import importlib
import importlib.util
import os
import re
import sys
import types
import uuid
import warnings
from pathlib import Path

ROWS, USERS = 20, 4
CHANGES = re.compile(r"log_?out|delete|remove|drop|purge|reset|shutdown|stop|send|cron|clear|password|admin/|static")
# What differs from answer to answer: tokens against forgery, times.
UNSTEADY = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"|\d{1,2}:\d\d(?::\d\d[\d.]*)?')
OTHERS = ("rest_framework", "dal", "dal_select2", "crispy_forms", "taggit", "mptt", "django_filters", "guardian",
          "widget_tweaks", "ckeditor", "import_export", "django_tables2", "polymorphic")  # fmt: skip
START = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.timezone.utc)


class Site:
    """The site as a function of a path, as a WSGI application, and as a list of paths that answer."""

    def __init__(self, apps):
        warnings.simplefilter("ignore")
        configure(apps)
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", run_syncdb=True, verbosity=0)
        self.made = filled(apps)
        self.client = logged_in()

    def get(self, path):
        """Status and text of one GET request, whose writes are taken back; raises where it fails."""
        response = self.response(path)
        if response.status_code >= 400:
            raise ValueError(f"GET {path} answers {response.status_code}")
        return response.status_code, UNSTEADY.sub("", response.content.decode("utf-8", "replace"))

    def response(self, path):
        """The answer to one GET request."""
        from django.db import transaction

        with transaction.atomic():
            response = self.client.get(path)
            if getattr(response, "streaming", False):
                response.content = b"".join(response.streaming_content)
            transaction.set_rollback(True)
        return response

    def __call__(self, environ, start_response):
        """A WSGI application for whoever asks routes."""
        response = self.response(environ["PATH_INFO"])
        start_response(f"{response.status_code} told", [])
        return [response.content]

    def paths(self):
        """Paths of the site that answer 200, one of each route."""
        from django.urls import get_resolver

        found = []
        for route in walked(get_resolver().url_patterns, "/"):
            found += list(self.tried(route))[:1] if not CHANGES.search(route) else []
        return list(dict.fromkeys(found))

    def tried(self, route):
        """Paths of a route with values of rows, that answer."""
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        rows = [model[0] for model in self.made.values() if model] if names else [None]
        for row in sorted(rows, key=lambda row: not (row and any(type(row).__name__.lower() in n for n in names))):
            values = {name: of_row(row, name) for name in names}
            if None in values.values():
                continue
            path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match, values=values: str(values[match[1]]), route)
            with contextlib.suppress(Exception):
                if self.response(path).status_code == 200:
                    yield path


def site(*apps):
    """The function that asks the site of these applications for a path."""
    return Site(apps).get


def of_row(row, name):
    """The value that a row gives for a parameter of a route, None for none."""
    if name in ("id", "pk") or name.endswith(("_id", "_pk")):
        return row.pk
    return getattr(row, name, None) or (getattr(row, "slug", None) if name.endswith("slug") else None)


def walked(patterns, before):
    """The routes below, as Django's paths write them."""
    for one in patterns:
        text = before + str(one.pattern).lstrip("^").rstrip("$")
        if hasattr(one, "url_patterns"):
            yield from walked(one.url_patterns, text)
        elif "(" not in text and "\\" not in text:
            yield text


def configure(apps):
    """The project's own settings, or settings made for the applications; the database is in memory."""
    from django.conf import settings

    database = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    manage = Path("manage.py")
    named = re.search(r"DJANGO_SETTINGS_MODULE['\"], *['\"]([\w.]+)", manage.read_text()) if manage.is_file() else None
    if named:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", named[1])
        settings.DATABASES = database
        settings.ALLOWED_HOSTS = ["*"]
        return
    texts = "\n".join(p.read_text("utf-8", "replace") for app in apps for p in sources(app))
    more = [name for name in OTHERS if name in texts and importlib.util.find_spec(name)]
    contrib = ["admin", "auth", "contenttypes", "sessions", "messages", "sites", "staticfiles", "humanize"]
    middle = ["sessions.middleware.SessionMiddleware", "auth.middleware.AuthenticationMiddleware",
              "messages.middleware.MessageMiddleware"]  # fmt: skip
    made = missing_templates(texts, [p for app in apps for p in sources(app)])
    loaders = [("django.template.loaders.locmem.Loader", made), "django.template.loaders.app_directories.Loader"]
    told = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages"]  # fmt: skip
    settings.configure(
        SECRET_KEY="of a site in memory", ALLOWED_HOSTS=["*"], USE_TZ=True, SITE_ID=1, STATIC_URL="/static/",
        ROOT_URLCONF="djangosite_urls", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", DATABASES=database,
        INSTALLED_APPS=[*(f"django.contrib.{name}" for name in contrib), *more, *apps],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", *(f"django.contrib.{name}" for name in middle)],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates",
                    "OPTIONS": {"loaders": loaders, "context_processors": told}}],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    )  # fmt: skip
    sys.modules["djangosite_urls"] = Urls("djangosite_urls", apps)


class Urls(types.ModuleType):
    """The routes of the applications, read when Django asks for them."""

    def __init__(self, name, apps):
        super().__init__(name)
        self.apps = apps

    @property
    def urlpatterns(self):
        """The admin's routes, those of log-in, and of each application."""
        from django.contrib import admin
        from django.urls import include, path

        found = [path("admin/", admin.site.urls), path("accounts/", include("django.contrib.auth.urls"))]
        own = [app for app in self.apps if importlib.util.find_spec(f"{app}.urls")]
        return found + [path("" if len(own) == 1 else f"{app}/", include(f"{app}.urls")) for app in own]


def sources(app):
    """The code and the templates of an application."""
    top = Path(app.replace(".", "/"))
    top = top if top.is_dir() else Path("src") / top
    return [path for path in sorted(top.rglob("*")) if path.suffix in (".py", ".html", ".txt") and path.is_file()]


def missing_templates(texts, own):
    """Templates that others extend and that are not here, or hold no block: with all blocks that any of them fills."""
    names = dict.fromkeys(re.findall(r"{% ?block (\w+)", texts))
    blocks = "".join(f"{{% block {name} %}}{{% endblock %}}" for name in names)
    wanted = dict.fromkeys(re.findall(r"{% ?extends ['\"]([^'\"]+)", texts), blocks)
    whole = [p.as_posix() for p in own if "{% block" in p.read_text("utf-8", "replace")]
    return {
        name: text for name, text in wanted.items() if not any(path.endswith("templates/" + name) for path in whole)
    }


def filled(apps):
    """Rows for each model of the applications; those that a model does not take are left out."""
    from django.apps import apps as known
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group

    user = get_user_model()
    made = {Group: [Group.objects.create(name=f"group-{n}") for n in range(3)]}
    if user._meta.app_label == "auth":
        made[user] = [user.objects.create_user(f"user{n}", f"u{n}@example.org", "x") for n in range(USERS)]
    labels = {app.rpartition(".")[2] for app in apps} or {
        c.label
        for c in known.get_app_configs()
        if Path(c.path).is_relative_to(Path.cwd()) and "site-packages" not in c.path
    }
    waiting = [model for model in known.get_models() if model._meta.app_label in labels and model not in made]
    for _ in range(len(waiting) + 1):
        for model in list(waiting):
            others = {f.related_model for f in model._meta.fields if f.is_relation and not f.null} - {model}
            if not any(other in waiting for other in others):
                waiting.remove(model)
                made[model] = rows_of(model, made)
    return made


def rows_of(model, made):
    """Rows of one model."""
    from django.db import transaction

    found = []
    for number in range(ROWS):
        with contextlib.suppress(Exception), transaction.atomic():
            values = {f.name: value(f, number, made) for f in model._meta.fields if wanted(f)}
            row = model.objects.create(**{name: one for name, one in values.items() if one is not None})
            for field in model._meta.many_to_many:
                getattr(row, field.name).add(*made.get(field.related_model, [])[:3])
            found.append(row)
    return found


def wanted(field):
    """Whether a field is given a value: no key that counts itself, nothing that has a value already."""
    return not field.primary_key and (field.unique or not field.has_default() or field.default == "")


def value(field, number, made):
    """A value for a field of the row of that number."""
    if field.is_relation:
        rows = made.get(field.related_model, [])
        return rows[number % len(rows)] if rows and not (field.unique and number >= len(rows)) else None
    if field.choices:
        return field.choices[number % len(field.choices)][0]
    kind = field.get_internal_type()
    if kind in ("CharField", "SlugField", "TextField"):
        text = f"{field.name}-{number}" if kind == "SlugField" else f"{field.name} {number}"
        return text[-field.max_length :] if field.max_length else text
    plain = {
        "BooleanField": number % 2 == 0, "DateTimeField": START + datetime.timedelta(days=number),
        "DateField": (START + datetime.timedelta(days=number)).date(), "TimeField": datetime.time(12, number % 60),
        "UUIDField": uuid.UUID(int=number + 1), "DecimalField": decimal.Decimal(number + 1), "JSONField": {},
        "DurationField": datetime.timedelta(minutes=number), "GenericIPAddressField": "127.0.0.1",
        "EmailField": f"u{number}@example.org", "URLField": f"https://example.org/{number}", "FileField": "",
        "ImageField": "", "BinaryField": b"",
    }  # fmt: skip
    return plain.get(kind, number + 1)


def logged_in():
    """A client whose user may do everything and belongs to every group; a plain one where the site has no log-in."""
    from django.apps import apps as known
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.test import Client

    if not known.is_installed("django.contrib.sessions"):
        return Client(raise_request_exception=False)
    model = get_user_model()
    user = model(**{model.USERNAME_FIELD: "root@example.org"})
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password("x")
    user.save()
    if hasattr(user, "groups"):
        user.groups.add(*Group.objects.all())
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client
