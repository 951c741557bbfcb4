"""Drives a running server with kibana-py: status, spaces, users, API keys.

    pip install -r requirements.txt
    python drive.py --url http://localhost:5601 --username elastic --password ...

Needs a superuser. Uses spaces and users whose names start with `kbpy-`, removes
them before and after, and leaves the default space as it was. Every answer is
compared whole where the contract gives it whole. Exit code 0 only if every check
passed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

from kibana import Kibana
from kibana.exceptions import ApiError, SpaceNotFoundError

PREFIX = "kbpy-"
PASSWORD = "a-long-enough-password"
IMAGE = "data:image/png;base64,iVBORw0KGgo="
PURPOSES = ("any", "copySavedObjectsIntoSpace", "shareSavedObjectsIntoSpace")
SOLUTIONS = ("security", "oblt", "es", "classic")
REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
}
ID_RULE = "must be lower case, a-z, 0-9, '_', and '-' are allowed"
DEFAULT_SPACE = {
    "id": "default",
    "name": "Default",
    "description": "This is your default space!",
    "color": "#00bfb3",
    "disabledFeatures": [],
    "_reserved": True,
}


class Checks:
    """Counts checks; a failed one is told at once and does not stop the run."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def that(self, label: str, holds: bool, detail: object = "") -> None:
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {label}: {detail}", file=sys.stderr)

    def equal(self, label: str, got: object, want: object) -> None:
        self.that(label, got == want, f"\n  got  {got!r}\n  want {want!r}")

    def fails(self, label: str, call: Callable[[], Any], status: int, message: str) -> None:
        """The call must end in an API error with exactly this status and body."""
        want = {"statusCode": status, "error": REASONS[status], "message": message}
        try:
            answer = call()
        except ApiError as error:
            self.equal(label, (error.meta.status, error.body), (status, want))
        else:
            self.that(label, False, f"succeeded with {answer.meta.status} {answer.body!r}")

    def section(self, run: Callable[[], None]) -> None:
        """An exception ends its section only."""
        try:
            run()
        except Exception:
            self.failed += 1
            print(f"FAILED {run.__name__}:\n{traceback.format_exc()}", file=sys.stderr)


class Drive:
    def __init__(self, url: str, username: str, password: str) -> None:
        self.url = url
        self.username = username
        self.password = password
        self.check = Checks()
        self.admin = self.client(basic_auth=(username, password))

    def client(self, **auth: Any) -> Kibana:
        return Kibana(self.url, request_timeout=30.0, **auth)

    def raw(self, method: str, path: str, body: Any = None, client: Kibana | None = None, **kw: Any) -> Any:
        return (client or self.admin).perform_request(method, path, body=body, **kw)

    def create_raw(self, **body: Any) -> Any:
        """A create that the typed method refuses or cannot express."""
        return self.raw("POST", "/api/spaces/space", body)

    # -- status --------------------------------------------------------------

    def status(self) -> None:
        check, level_only = self.check, {"status": {"overall": {"level": "available"}}}
        for label, client in (
            ("anonymous status", self.client()),
            ("status with a wrong password", self.client(basic_auth=(self.username, "no"))),
        ):
            check.equal(label, client.status.get_status().body, level_only)

        answer = self.admin.status.get_status()
        body = answer.body
        check.equal("status keys", set(body), {"name", "uuid", "version", "status", "metrics"})
        check.that("uuid", re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["uuid"]) is not None, body["uuid"])
        check.equal(
            "version keys",
            set(body["version"]),
            {"number", "build_hash", "build_number", "build_snapshot", "build_flavor", "build_date"},
        )
        check.that("version number", re.fullmatch(r"8\.19\.\d+", body["version"]["number"]) is not None, body["version"])
        check.equal("build flavor", body["version"]["build_flavor"], "traditional")
        check.equal("level", body["status"]["overall"]["level"], "available")
        check.equal("core services", set(body["status"]["core"]), {"elasticsearch", "savedObjects"})
        check.that("plugins", isinstance(body["status"]["plugins"], dict), body["status"]["plugins"])
        check.equal(
            "metrics keys",
            set(body["metrics"]),
            {
                "last_updated", "collection_interval_in_millis", "os", "process", "processes",
                "response_times", "concurrent_connections", "requests", "elasticsearch_client",
            },
        )
        check.equal("server_version()", self.admin.server_version(), body["version"]["number"])
        check.equal("v8format", set(self.admin.status.get_status(v8format=True).body), set(body))

        v7 = self.admin.status.get_status(v7format=True).body["status"]
        check.equal("v7 state", v7["overall"]["state"], "green")
        check.equal("v7 overall keys", set(v7["overall"]), {"state", "title", "nickname", "icon", "uiColor", "since"})
        check.that("v7 statuses", isinstance(v7["statuses"], list), v7["statuses"])
        check.fails(
            "both formats",
            lambda: self.admin.status.get_status(v7format=True, v8format=True),
            400,
            "[request query]: provide only one format option: v7format or v8format",
        )

        self.headers("status", answer.meta.headers, body["name"])
        self.headers("space", self.admin.spaces.get(id="default").meta.headers, body["name"])
        try:
            self.admin.spaces.get_all(purpose="bad")
        except ApiError as error:
            self.headers("validation error", error.meta.headers, body["name"])

    def headers(self, label: str, headers: Any, name: str) -> None:
        want = {
            "content-type": "application/json; charset=utf-8",
            "kbn-name": name,
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-cache, no-store, must-revalidate",
            "elastic-api-version": "2023-10-31",
        }
        self.check.equal(f"headers: {label}", {key: headers.get(key) for key in want}, want)
        self.check.that(f"kbn-license-sig: {label}", bool(headers.get("kbn-license-sig")))

    # -- spaces --------------------------------------------------------------

    def spaces_life(self) -> None:
        check, spaces = self.check, self.admin.spaces
        check.equal("default space", spaces.get(id="default").body, DEFAULT_SPACE)

        full = {
            "id": "kbpy-full",
            "name": "kbpy Full",
            "description": "all the fields",
            "color": "#aabbcc",
            "initials": "KF",
            "imageUrl": IMAGE,
            "disabledFeatures": ["ml", "kbpy_no_such_feature"],
        }
        created = spaces.create(
            id=full["id"], name=full["name"], description=full["description"], color=full["color"],
            initials=full["initials"], image_url=IMAGE, disabled_features=full["disabledFeatures"],
        )
        check.equal("create: status", created.meta.status, 200)
        check.equal("create: every field echoed", created.body, full)
        check.equal("get", spaces.get(id=full["id"]).body, full)

        check.equal(
            "create: name only",
            spaces.create(id="kbpy-bare", name="kbpy Bare").body,
            {"id": "kbpy-bare", "name": "kbpy Bare", "disabledFeatures": []},
        )
        documented = {"name": "Marketing", "imageUrl": "", "initials": "MK", "description": "This is the Marketing Space", "disabledFeatures": []}
        check.equal(
            "create: the documented example, color null",
            self.create_raw(id="kbpy-marketing", color=None, **documented).body,
            {"id": "kbpy-marketing", **documented},
        )
        check.equal(
            "create: _reserved is ignored",
            self.create_raw(id="kbpy-reserved", name="kbpy R", _reserved=True).body,
            {"id": "kbpy-reserved", "name": "kbpy R", "disabledFeatures": []},
        )
        self.listing(full)
        self.updating(full)
        self.solution()
        self.deleting()

    def listing(self, full: dict[str, Any]) -> None:
        check, spaces = self.check, self.admin.spaces
        listed = spaces.get_all().body
        check.that("list: default is in it", DEFAULT_SPACE in listed, listed)
        check.that("list: the new one is in it", full in listed, listed)
        names = [space["name"] for space in listed]
        check.equal("list: by name, byte order", names, sorted(names, key=str.encode))
        for purpose in PURPOSES:
            check.equal(f"list: purpose {purpose}", spaces.get_all(purpose=purpose).body, listed)
        check.equal(
            "list: purpose, authorized purposes false",
            spaces.get_all(purpose="any", include_authorized_purposes=False).body,
            listed,
        )
        granted = dict.fromkeys((*PURPOSES, "findSavedObjects"), True)
        check.equal(
            "list: authorized purposes",
            spaces.get_all(include_authorized_purposes=True).body,
            [{**space, "authorizedPurposes": granted} for space in listed],
        )
        check.fails(
            "list: purpose and authorized purposes",
            lambda: spaces.get_all(purpose="any", include_authorized_purposes=True),
            400,
            "[request query.include_authorized_purposes]: expected value to equal [false]",
        )
        check.fails("list: bad purpose", lambda: spaces.get_all(purpose="bad"), 400, union("query.purpose", PURPOSES))
        check.fails(
            "list: unknown query parameter",
            lambda: self.raw("GET", "/api/spaces/space", params={"page": 1}),
            400,
            "[request query.page]: definition for this key is missing",
        )

    def updating(self, full: dict[str, Any]) -> None:
        check, spaces = self.check, self.admin.spaces
        merged = {**full, "name": "kbpy Renamed", "disabledFeatures": []}
        check.equal(
            "update: texts stay, disabledFeatures is reset",
            spaces.update(id=full["id"], name="kbpy Renamed").body,
            merged,
        )
        check.equal("update: is stored", spaces.get(id=full["id"]).body, merged)
        merged |= {"description": "", "color": "#zzzzzz", "disabledFeatures": ["canvas"]}
        check.equal(
            "update: a text is cleared by an empty one",
            spaces.update(id=full["id"], name="kbpy Renamed", description="", color="#zzzzzz", disabled_features=["canvas"]).body,
            merged,
        )
        check.equal(
            "update: the id of the path counts",
            self.raw("PUT", "/api/spaces/space/kbpy-bare", {"id": "kbpy-other", "name": "kbpy Bare 2"}).body,
            {"id": "kbpy-bare", "name": "kbpy Bare 2", "disabledFeatures": []},
        )
        check.fails("update: no upsert", lambda: spaces.update(id="kbpy-none", name="x"), 404, "Not Found")
        try:
            check.equal(
                "update: default may be renamed and stays reserved",
                self.raw("PUT", "/api/spaces/space/default", {"id": "default", "name": "Renamed", "_reserved": False}).body,
                {**DEFAULT_SPACE, "name": "Renamed"},
            )
        finally:
            spaces.update(id="default", name=DEFAULT_SPACE["name"])
        check.equal("default space is as before", spaces.get(id="default").body, DEFAULT_SPACE)

    def solution(self) -> None:
        check, spaces = self.check, self.admin.spaces
        answer = spaces.create(id="kbpy-es", name="kbpy es", solution="es", disabled_features=["ml"]).body
        hidden = answer.pop("disabledFeatures")
        check.equal("solution: echoed", answer, {"id": "kbpy-es", "name": "kbpy es", "solution": "es"})
        check.that(
            "solution: hides the features of the others, not the stored list",
            {"apm", "infrastructure", "inventory", "logs", "slo", "uptime"} <= set(hidden) and "ml" not in hidden,
            hidden,
        )
        check.equal(
            "solution: classic shows the stored list",
            spaces.update(id="kbpy-es", name="kbpy es", solution="classic", disabled_features=["ml"]).body,
            {"id": "kbpy-es", "name": "kbpy es", "solution": "classic", "disabledFeatures": ["ml"]},
        )

    def deleting(self) -> None:
        check, spaces = self.check, self.admin.spaces
        gone = spaces.delete(id="kbpy-full")
        check.equal("delete: 204 without a body", (gone.meta.status, gone.body), (204, {}))
        check.equal("delete: no content type", gone.meta.headers.get("content-type"), None)
        check.fails("get after delete", lambda: spaces.get(id="kbpy-full"), 404, "Not Found")
        check.fails("delete twice", lambda: spaces.delete(id="kbpy-full"), 404, "Not Found")
        check.fails(
            "delete default",
            lambda: spaces.delete(id="default"),
            400,
            "The default space cannot be deleted because it is reserved.",
        )
        check.equal(
            "create again after delete",
            spaces.create(id="kbpy-full", name="again").body,
            {"id": "kbpy-full", "name": "again", "disabledFeatures": []},
        )

    def space_errors(self) -> None:
        check, spaces = self.check, self.admin.spaces
        spaces.create(id="kbpy-taken", name="taken")
        check.fails(
            "create: duplicate",
            lambda: spaces.create(id="kbpy-taken", name="again"),
            409,
            "A space with the identifier kbpy-taken already exists.",
        )
        too_long = "value has length [3] but it must have a maximum length of [2]."
        for fields, message in (
            ({"id": "Not Valid"}, f"[request body.id]: {ID_RULE}"),
            ({"name": ""}, "[request body.name]: value has length [0] but it must have a minimum length of [1]."),
            ({"name": 7}, "[request body.name]: expected value of type [string] but got [number]"),
            ({"description": None}, "[request body.description]: expected value of type [string] but got [null]"),
            ({"initials": "abc"}, f"[request body.initials]: {too_long}"),
            ({"color": "red"}, "[request body.color]: must be a 6 digit hex color, starting with a #"),
            ({"imageUrl": "http://x"}, "[request body.imageUrl]: must start with 'data:image'"),
            ({"solution": "search"}, union("body.solution", SOLUTIONS)),
            ({"namespace": "x"}, "[request body.namespace]: definition for this key is missing"),
            ({"id": "UP", "color": "red"}, f"[request body.id]: {ID_RULE}"),
        ):
            body = {"id": "kbpy-bad", "name": "bad", **fields}
            check.fails(f"create: {fields}", lambda body=body: self.create_raw(**body), 400, message)
        check.fails(
            "create: no name",
            lambda: self.create_raw(id="kbpy-bad"),
            400,
            "[request body.name]: expected value of type [string] but got [undefined]",
        )
        array = "[request body]: expected a plain object value, but found [Array] instead."
        check.fails("create: array", lambda: self.raw("POST", "/api/spaces/space", []), 400, array)
        nothing = "[request body]: expected a plain object value, but found [null] instead."
        check.fails("create: no body", lambda: self.raw("POST", "/api/spaces/space"), 400, nothing)
        check.fails(
            "malformed JSON (text unverified)",
            lambda: self.raw("POST", "/api/spaces/space", "{"),
            400,
            "Invalid request payload JSON format",
        )
        check.fails("nothing was created", lambda: spaces.get(id="kbpy-bad"), 404, "Not Found")
        check.fails("unknown route", lambda: self.raw("GET", "/api/no/such/route"), 404, "Not Found")
        check.fails("unknown method", lambda: self.raw("PATCH", "/api/spaces/space", {}), 404, "Not Found")
        check.fails(
            "unknown API version",
            lambda: self.raw("GET", "/api/spaces/space/default", headers={"elastic-api-version": "2020-01-01"}),
            400,
            'No version "2020-01-01" available for [get] [/api/spaces/space/{id}]. Available versions are: [2023-10-31]',
        )

    def space_prefix(self) -> None:
        check, spaces = self.check, self.admin.spaces
        mine = spaces.create(id="kbpy-scoped", name="kbpy scoped").body
        scoped = self.admin.space("kbpy-scoped")
        check.equal("scoped client: spaces", scoped.spaces.get(id="kbpy-scoped").body, mine)
        active = "/internal/spaces/_active_space"
        check.equal("active space", self.raw("GET", f"/s/kbpy-scoped{active}").body, mine)
        check.equal("active space: no prefix", self.raw("GET", active).body, DEFAULT_SPACE)
        check.equal("active space: /s/default", self.raw("GET", f"/s/default{active}").body, DEFAULT_SPACE)
        check.fails("active space: unknown", lambda: self.raw("GET", f"/s/kbpy-ghost{active}"), 404,
                    "Saved object [space/kbpy-ghost] not found")
        check.equal(
            "an unknown space in the path is no error",
            self.raw("GET", "/s/kbpy-ghost/api/spaces/space/kbpy-scoped").body,
            mine,
        )
        try:
            self.admin.space("kbpy-ghost")
        except SpaceNotFoundError:
            check.that("scoped client: unknown space", True)
        else:
            check.that("scoped client: unknown space", False, "no SpaceNotFoundError")

    # -- who may do what -----------------------------------------------------

    def wrong_credentials(self) -> None:
        check = self.check
        check.fails("no credentials", lambda: self.client().spaces.get_all(), 401, "Unauthorized")
        check.fails(
            "no credentials come before a bad body",
            lambda: self.raw("POST", "/api/spaces/space", "{", client=self.client()),
            401,
            "Unauthorized",
        )
        for user in (self.username, "kbpy-nobody"):
            wrong = self.client(basic_auth=(user, "not-the-password"))
            check.fails(f"wrong password: {user}", lambda wrong=wrong: wrong.spaces.get_all(), 401, refused(user))

    def create_user(self, name: str, roles: list[str]) -> Kibana:
        body = {"username": name, "password": PASSWORD, "roles": roles, "full_name": "Kb Py", "email": "kbpy@example.com"}
        answer = self.raw("POST", f"/internal/security/users/{name}", body)
        self.check.equal(f"create user {name} (unverified)", answer.meta.status, 200)
        self.check.equal(f"create user {name}: echo (unverified)", (answer.body["username"], answer.body["roles"]), (name, roles))
        return self.client(basic_auth=(name, PASSWORD))

    def users(self) -> None:
        check = self.check
        self.admin.spaces.create(id="kbpy-guarded", name="guarded")
        nobody = self.create_user("kbpy-plain", [])
        me = self.raw("GET", "/internal/security/me", client=nobody).body
        check.equal(
            "me",
            {key: me.get(key) for key in ("username", "roles", "enabled", "authentication_provider", "authentication_type")},
            {
                "username": "kbpy-plain",
                "roles": [],
                "enabled": True,
                "authentication_provider": {"type": "http", "name": "__http__"},
                "authentication_type": "realm",
            },
        )
        create = "Unauthorized to create spaces"
        for label, call, message in (
            ("create", lambda: nobody.spaces.create(id="kbpy-new", name="new"), create),
            ("create one that exists", lambda: nobody.spaces.create(id="kbpy-guarded", name="new"), create),
            ("update", lambda: nobody.spaces.update(id="kbpy-guarded", name="x"), "Unauthorized to update spaces"),
            ("delete", lambda: nobody.spaces.delete(id="kbpy-guarded"), "Unauthorized to delete spaces"),
            ("get", lambda: nobody.spaces.get(id="kbpy-guarded"), "Unauthorized to get kbpy-guarded space"),
            ("list", lambda: nobody.spaces.get_all(), "Forbidden"),
        ):
            check.fails(f"without roles: {label}", call, 403, message)
        check.fails(
            "without roles: a bad body is told first",
            lambda: nobody.spaces.create(id="UP", name="x"),
            400,
            f"[request body.id]: {ID_RULE}",
        )
        check.that("nothing changed", self.admin.spaces.get(id="kbpy-guarded").body["name"] == "guarded")

        boss = self.create_user("kbpy-boss", ["superuser"])
        check.equal("superuser: create", boss.spaces.create(id="kbpy-new", name="new").meta.status, 200)

        gone = self.raw("DELETE", "/internal/security/users/kbpy-plain")
        check.equal("delete user (unverified)", gone.meta.status, 204)
        check.fails("a deleted user", lambda: nobody.spaces.get_all(), 401, refused("kbpy-plain"))

    # -- the run -------------------------------------------------------------

    def clean(self) -> None:
        for space in self.admin.spaces.get_all().body:
            if space["id"].startswith(PREFIX):
                self.admin.spaces.delete(id=space["id"])
        for user in ("kbpy-plain", "kbpy-boss"):
            try:
                self.raw("DELETE", f"/internal/security/users/{user}")
            except ApiError as error:
                if error.meta.status != 404:
                    raise

    def run(self) -> bool:
        sections = (
            self.clean, self.status, self.spaces_life, self.space_errors, self.space_prefix,
            self.wrong_credentials, self.users, self.clean,
        )
        for section in sections:
            self.check.section(section)
        version = importlib.metadata.version("kibana-py")
        if self.check.failed:
            print(f"kibana-py {version}: {self.check.failed} failed, {self.check.passed} passed")
        else:
            print(f"kibana-py {version}: {self.check.passed} checks passed")
        return not self.check.failed


def union(path: str, members: tuple[str, ...]) -> str:
    lines = (f"- [request {path}.{i}]: expected value to equal [{member}]" for i, member in enumerate(members))
    return "\n".join((f"[request {path}]: types that failed validation:", *lines))


def refused(user: str) -> str:
    reason = f"unable to authenticate user [{user}] for REST request [/_security/_authenticate]"
    return f"[security_exception\n\tRoot causes:\n\t\tsecurity_exception: {reason}]: {reason}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("url", "username", "password"):
        arguments.add_argument(f"--{name}", required=True)
    given = arguments.parse_args()
    return 0 if Drive(given.url, given.username, given.password).run() else 1


if __name__ == "__main__":
    sys.exit(main())
