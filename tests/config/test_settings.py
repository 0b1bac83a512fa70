"""The loading of settings."""

import os
import re
import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.config.loading import SettingsError, doubts, load_settings
from tagline.config.settings import Settings, variables
from tagline.errors import ConfigurationError
from tagline.storage import BACKENDS

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hush-hush-hush-hush-hush-hush-hush-hush"


class Load:
    """Loads settings of a photo directory with a home beside it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.photos = base / "photos"
        self.photos.mkdir()
        self.environ = {"HOME": str(base / "home"), "PHOTO_STORAGE_PATH": str(self.photos)}
        self.env_file = base / ".env"

    def __call__(self, overrides=None, **environ: str) -> Settings:
        return load_settings(
            overrides or {}, environ=self.environ | environ, env_file=self.env_file
        )

    def faults(self, overrides=None, **environ: str) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            self(overrides, **environ)
        lines = str(caught.value).split("\n")
        assert lines == [str(fault) for fault in caught.value.faults]
        assert not caught.value.__cause__
        assert not caught.value.__context__
        return lines

    def fault(self, overrides=None, **environ: str) -> str:
        (line,) = self.faults(overrides, **environ)
        return line


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads settings of a photo directory with a home beside it."""
    return Load(tmp_path)


def test_defaults(load):
    """Without more than a photo directory every setting has the design's default."""
    settings = load()
    assert settings.photo_storage_backend == "local"
    assert settings.photo_storage_path == load.photos
    assert settings.database_url is settings.backend_password is settings.jwt_secret is None
    assert settings.cors_allowed_origins == settings.ignore == settings.warnings == ()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.write_mode, settings.watch) == ("embed", "auto")
    assert settings.reconcile_seconds == 300
    assert settings.settle_seconds == 2
    assert (settings.access_token_seconds, settings.refresh_token_seconds) == (900, 2592000)
    assert (settings.log_level, settings.log_format) == ("info", "text")


GOOD = {
    "PHOTO_STORAGE_BACKEND": ("memory", "photo_storage_backend", "memory"),
    "DATABASE_URL": ("tinydb:///data", "database_directory", Path("/data")),
    "CORS_ALLOWED_ORIGINS": (
        "https://A.example:443, http://b:8080,",
        "cors_allowed_origins",
        ("https://a.example", "http://b:8080"),
    ),
    "TAGLINE_HOST": ("::", "host", "::"),
    "TAGLINE_PORT": ("0", "port", 0),
    "TAGLINE_WRITE_MODE": ("Sidecar", "write_mode", "sidecar"),
    "TAGLINE_WATCH": ("poll", "watch", "poll"),
    "TAGLINE_RECONCILE_SECONDS": ("60", "reconcile_seconds", 60),
    "TAGLINE_SETTLE_SECONDS": ("0.5", "settle_seconds", 0.5),
    "TAGLINE_ACCESS_TOKEN_SECONDS": ("1", "access_token_seconds", 1),
    "TAGLINE_REFRESH_TOKEN_SECONDS": ("31536000", "refresh_token_seconds", 31536000),
    "TAGLINE_IGNORE": (" *.bak , a b/*,", "ignore", ("*.bak", "a b/*")),
    "TAGLINE_LOG_LEVEL": ("WARNING", "log_level", "warning"),
    "TAGLINE_LOG_FORMAT": ("json", "log_format", "json"),
}


@pytest.mark.parametrize("variable", GOOD)
def test_each_variable(load, variable):
    """Each variable sets its setting, from the environment, from .env and from the command line."""
    text, name, value = GOOD[variable]
    assert getattr(load(**{variable: text}), name) == value
    assert getattr(load({variable: text}), name) == value
    load.env_file.write_text(f"{variable}={text}\n")
    assert getattr(load(), name) == value


@pytest.mark.parametrize("variable", variables())
def test_set_to_nothing_is_unset(load, variable):
    """A variable that is set to nothing has its default."""
    expected = load()
    assert load({"PHOTO_STORAGE_PATH": load.photos}, **{variable: ""}) == expected


BAD = [
    ("PHOTO_STORAGE_BACKEND", "s3", ["'s3'", *BACKENDS]),
    ("PHOTO_STORAGE_PATH", "/nowhere/at/all", ["does not exist", "existing directory"]),
    ("PHOTO_STORAGE_PATH", "/etc/hostname", ["is no directory"]),
    ("PHOTO_STORAGE_PATH", "a\0b", ["NUL"]),
    ("PHOTO_STORAGE_PATH", "~nobody-at-all/photos", ["no home directory"]),
    ("PHOTO_STORAGE_PATH", "x" * 5000, ["cannot be opened: File name too long"]),
    ("DATABASE_URL", "tinydb://relative", ["absolute"]),
    ("DATABASE_URL", "sqlite:///data", ["tinydb://"]),
    ("DATABASE_URL", "/data", ["tinydb://"]),
    ("DATABASE_URL", "tinydb:///", ["no directory"]),
    ("DATABASE_URL", "tinydb:///a%00b", ["no directory"]),
    ("DATABASE_URL", "tinydb:///etc/hostname", ["no directory"]),
    ("DATABASE_URL", "tinydb:///data?x=1", ["%3F"]),
    ("CORS_ALLOWED_ORIGINS", "photos.example", ["https://"]),
    ("CORS_ALLOWED_ORIGINS", "https://photos.example/", ["not even a /"]),
    ("CORS_ALLOWED_ORIGINS", "https://b\u00fccher.example", ["xn--"]),
    ("CORS_ALLOWED_ORIGINS", "https://a b", ["host"]),
    ("CORS_ALLOWED_ORIGINS", "https://a:0", ["no port 0"]),
    ("CORS_ALLOWED_ORIGINS", "https://a:65536", ["no port 65536"]),
    ("CORS_ALLOWED_ORIGINS", "*,https://a", ["beside"]),
    ("CORS_ALLOWED_ORIGINS", "null", ["no origin"]),
    ("TAGLINE_HOST", "http://localhost", ["'http://localhost'"]),
    ("TAGLINE_HOST", "two words", ["'two words'"]),
    ("TAGLINE_PORT", "65536", ["'65536' is too large", "65535"]),
    ("TAGLINE_PORT", "-1", ["'-1' is too small"]),
    ("TAGLINE_PORT", "http", ["'http' is no whole number"]),
    ("TAGLINE_PORT", "1.5", ["no whole number"]),
    ("TAGLINE_PORT", "9" * 5000, ["no whole number"]),
    ("TAGLINE_WRITE_MODE", "none", ["'none' is none of them", "embed or sidecar"]),
    ("TAGLINE_WATCH", "yes", ["auto, notify, poll or off"]),
    ("TAGLINE_RECONCILE_SECONDS", "0", ["too small"]),
    ("TAGLINE_SETTLE_SECONDS", "-1", ["too small"]),
    ("TAGLINE_SETTLE_SECONDS", "61", ["too large"]),
    ("TAGLINE_SETTLE_SECONDS", "nan", ["no number"]),
    ("TAGLINE_SETTLE_SECONDS", "soon", ["no number", "such as 2 or 0.5"]),
    ("TAGLINE_RECONCILE_SECONDS", "604801", ["too large"]),
    ("TAGLINE_ACCESS_TOKEN_SECONDS", "0", ["too small"]),
    ("TAGLINE_ACCESS_TOKEN_SECONDS", "86401", ["too large"]),
    ("TAGLINE_REFRESH_TOKEN_SECONDS", "0", ["too small"]),
    ("TAGLINE_REFRESH_TOKEN_SECONDS", "31536001", ["too large"]),
    ("TAGLINE_REFRESH_TOKEN_SECONDS", "899", ["no fewer than TAGLINE_ACCESS_TOKEN_SECONDS"]),
    ("TAGLINE_IGNORE", "x" * 256, ["255"]),
    ("TAGLINE_IGNORE", "x," * 101, ["100"]),
    ("TAGLINE_IGNORE", "x\0", ["NUL"]),
    ("TAGLINE_LOG_LEVEL", "loud", ["debug, info, warning or error"]),
    ("TAGLINE_LOG_FORMAT", "xml", ["text or json"]),
]


@pytest.mark.parametrize(("variable", "text", "words"), BAD)
def test_each_fault_is_one_line(load, variable, text, words):
    """A wrong value gives one line: the variable, the fault, and what is allowed."""
    line = load.fault(**{variable: text})
    assert line.startswith(f"{variable}: ")
    assert "; allowed: " in line
    assert len(line) < 300
    for word in words:
        assert word in line


def test_all_mistakes_at_once(load):
    """Every mistake has its line, and they come together."""
    lines = load.faults(TAGLINE_PORT="x", TAGLINE_WATCH="y", TAGLINE_LOGLEVEL="z", JWT_SECRET="s")
    assert [line.split(":")[0] for line in lines] == [
        "TAGLINE_LOGLEVEL",
        "JWT_SECRET",
        "TAGLINE_PORT",
        "TAGLINE_WATCH",
    ]


def test_a_fault_names_its_origin(load):
    """The line says whether the value came from the command line, the environment or .env."""
    load.env_file.write_text("# first\n\n\nTAGLINE_PORT=x\n")
    assert "(from .env, line 4)" in load.fault()
    assert "(from the environment)" in load.fault(TAGLINE_PORT="x")
    assert "(from the command line)" in load.fault({"TAGLINE_PORT": "x"}, TAGLINE_PORT="1")


def test_precedence(load):
    """The command line wins over the environment, which wins over .env."""
    load.env_file.write_text("TAGLINE_PORT=1\nTAGLINE_HOST=a\nTAGLINE_WATCH=off\n")
    settings = load({"TAGLINE_PORT": 3, "TAGLINE_HOST": None}, TAGLINE_PORT="2", TAGLINE_HOST="b")
    assert (settings.port, settings.host, settings.watch) == (3, "b", "off")


def test_a_path_object_on_the_command_line(load):
    """A path may be given as a path, also one that is relative."""
    del load.environ["PHOTO_STORAGE_PATH"]
    before = Path.cwd()
    os.chdir(load.base)
    try:
        assert load({"PHOTO_STORAGE_PATH": Path("photos")}).photo_storage_path == load.photos
    finally:
        os.chdir(before)


def test_an_unknown_override_is_a_bug(load):
    """A name that is no variable is a mistake in the program."""
    with pytest.raises(TypeError, match="port"):
        load({"port": 1})


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("TAGLINE_PROT", "TAGLINE_PORT"),
        ("TAGLINE_JWT_SECRET", "JWT_SECRET"),
        ("TAGLINE_BACKEND_PASSWORD_FILE", "BACKEND_PASSWORD_FILE"),
        ("TAGLINE_RECONCILE_SECOND", "TAGLINE_RECONCILE_SECONDS"),
        ("TAGLINE_port", "TAGLINE_PORT"),
    ],
)
def test_a_typo(load, typo, meant):
    """An unknown TAGLINE_ variable is reported with the name that was meant, wherever it is."""
    assert load.fault(**{typo: "x"}) == (
        f"{typo}: is no setting of Tagline (from the environment); did you mean {meant}?"
    )
    load.env_file.write_text(f"{typo}=x\n")
    assert "line 1" in load.fault()


def test_no_name_is_near(load):
    """An unknown TAGLINE_ variable that resembles none is reported all the same."""
    assert ".env.example" in load.fault(TAGLINE_XYZZY="x")


def test_other_programs_variables(load):
    """Variables of other programs are no concern, in the environment or in .env."""
    load.env_file.write_text("PUID=1000\nJWT_SECRETS=x\nTAGLINES=3\n")
    assert load(PATH="/bin").port == 8000


def test_a_photo_directory_is_needed(load):
    """Without a photo directory the line says so; the memory backend needs none."""
    del load.environ["PHOTO_STORAGE_PATH"]
    assert load.fault().startswith("PHOTO_STORAGE_PATH: is not set")
    settings = load(PHOTO_STORAGE_BACKEND="memory")
    assert settings.photo_storage_path is settings.database_directory is None


def test_a_directory_without_permission(load, monkeypatch):
    """A photo directory that cannot be looked at is one line with the reason."""

    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert "cannot be opened: Permission denied" in load.fault()


# --- Secrets ---


@pytest.mark.parametrize("variable", ["BACKEND_PASSWORD", "JWT_SECRET"])
def test_secrets_are_not_shown(load, variable):
    """A secret shows in no representation, and is there for who asks."""
    settings = load(**{variable: SECRET})
    for text in (repr(settings), str(settings), f"{settings!r:s}", settings.model_dump_json()):
        assert SECRET not in text
    assert getattr(settings, variable.lower()).get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("JWT_SECRET", "hush"),
        ("JWT_SECRET", "hush" * 1100),
        ("BACKEND_PASSWORD", "hush" * 300),
        ("BACKEND_PASSWORD", "hush\nhush"),
        ("BACKEND_PASSWORD", "hush\udcff"),
        ("DATABASE_URL", "postgres://me:hush@host/db"),
        ("CORS_ALLOWED_ORIGINS", "https://me:hush@host"),
    ],
)
def test_faulty_secrets_are_not_shown(load, variable, text):
    """The line about a faulty value that holds a secret does not repeat it."""
    line = load.fault(**{variable: text})
    assert line.startswith(f"{variable}: ")
    assert "hush" not in line


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=31))
def test_no_short_secret_is_shown(text):
    """Whatever a too short signing secret is, the line about it is always the same."""
    if len(text.encode()) >= 32 or not text:
        return
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {"PHOTO_STORAGE_BACKEND": "memory"}, environ={"JWT_SECRET": text}, env_file=None
        )
    assert str(caught.value) == (
        "JWT_SECRET: it is too short (from the environment); allowed: 32 to 4096 bytes"
    )


def test_bytes_of_a_secret_count(load):
    """The length of the signing secret is that of its bytes."""
    assert load(JWT_SECRET="é" * 16).jwt_secret
    assert load.fault(JWT_SECRET="é" * 15)


@pytest.mark.parametrize("variable", ["BACKEND_PASSWORD", "JWT_SECRET"])
@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_secret_from_a_file(load, variable, ending):
    """A secret may come from a file, whose closing line break is not part of it."""
    file = load.base / "secret"
    file.write_bytes(f" {SECRET} {ending}".encode())
    settings = load(**{f"{variable}_FILE": str(file)})
    assert getattr(settings, variable.lower()).get_secret_value() == f" {SECRET} "


def test_secret_files_by_precedence(load):
    """Of a secret and a secret file the one with the stronger origin counts."""
    file = load.base / "secret"
    file.write_text("from the file")
    load.env_file.write_text("BACKEND_PASSWORD=from .env\n")
    password = load(BACKEND_PASSWORD_FILE=str(file)).backend_password
    assert password.get_secret_value() == "from the file"
    load.env_file.write_text(f"BACKEND_PASSWORD_FILE={file}\n")
    assert load().backend_password.get_secret_value() == "from the file"
    password = load(BACKEND_PASSWORD="from the environment").backend_password
    assert password.get_secret_value() == "from the environment"


def test_a_secret_and_its_file(load):
    """A secret and its file set in the same place are a mistake."""
    line = load.fault(BACKEND_PASSWORD=SECRET, BACKEND_PASSWORD_FILE="/x")
    assert line == "BACKEND_PASSWORD_FILE: BACKEND_PASSWORD is set as well; set one of the two"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xffhush", "not UTF-8"),
        (b"hush" * 20000, "larger than"),
        (b"hush\nhush", "control character"),
    ],
)
def test_a_faulty_secret_file(load, content, words):
    """A secret file that cannot be used is one line, which shows nothing of it."""
    file = load.base / "secret"
    if content is not None:
        file.write_bytes(content)
    line = load.fault(BACKEND_PASSWORD_FILE=str(file))
    assert words in line
    assert "hush" not in line
    assert "BACKEND_PASSWORD_FILE" in line


def test_a_secret_file_that_is_no_file(load):
    """A directory or a FIFO is no secret file, and does not hold up the start."""
    os.mkfifo(load.base / "fifo")
    for name in ("fifo", "photos"):
        assert "no regular file" in load.fault(BACKEND_PASSWORD_FILE=str(load.base / name))


def test_a_short_password_is_a_warning(load):
    """A short password is allowed, with a warning that does not show it."""
    (line,) = load(BACKEND_PASSWORD="hush").warnings
    assert line.startswith("BACKEND_PASSWORD: ")
    assert "hush" not in line


# --- .env ---


def test_env_file_forms(load):
    """Comments, quotes and export are understood, and $ stands for itself."""
    load.env_file.write_text(
        "# comment\nexport TAGLINE_PORT=1 # why\nTAGLINE_HOST='h'\n"
        'BACKEND_PASSWORD="a ${HOME} $x #1"\nTAGLINE_WATCH\n'
    )
    settings = load()
    assert (settings.port, settings.host, settings.watch) == (1, "h", "auto")
    assert settings.backend_password.get_secret_value() == "a ${HOME} $x #1"


def test_env_file_faults(load):
    """A line of .env that is no setting is reported by its number, without its text."""
    load.env_file.write_text("TAGLINE_PORT=1\n\nBACKEND_PASSWORD='hush\n")
    line = load.fault()
    assert line == ".env: line 3 is not of the form NAME=value"


@pytest.mark.parametrize("content", [b"\xff", None])
def test_env_file_unreadable(load, content):
    """A .env that cannot be read is one line."""
    if content is None:
        load.env_file.mkdir()
    else:
        load.env_file.write_bytes(content)
    assert load.fault().startswith(".env: cannot be read: ")


def faults_of(environ: dict[str, str], env_file: Path | None) -> tuple[ConfigurationError, ...]:
    """The faults of settings for photos in memory; none when they are right."""
    try:
        load_settings({"PHOTO_STORAGE_BACKEND": "memory"}, environ=environ, env_file=env_file)
    except SettingsError as error:
        return error.faults
    return ()


@given(
    st.text(st.characters(codec="utf-8"), max_size=200)
    | st.text("TAGLINE_PORT=\n\x1b'\"# x\\", max_size=60).map("TAGLINE_".__add__)
)
def test_any_env_file(text):
    """Any text as .env gives settings or faults, one line each, and no other exception."""
    with tempfile.NamedTemporaryFile(suffix=".env") as file:
        file.write(text.encode())
        file.flush()
        assert all(str(fault).isprintable() for fault in faults_of({}, Path(file.name)))


@given(
    st.dictionaries(
        st.sampled_from([n for n in variables() if n != "PHOTO_STORAGE_PATH"]),
        st.text(st.characters(), max_size=30),
    ),
)
def test_any_values(values):
    """Any values give settings or one printable line each, and no other exception."""
    faults = faults_of(values, None)
    assert all(str(fault).isprintable() for fault in faults)
    assert {fault.variable for fault in faults} <= set(values)


# --- Where the index is kept ---


def test_default_directory(load):
    """Each photo directory has a directory of its own below the user's data directory."""
    directory = load().database_directory
    assert directory.parent == load.base / "home/.local/share/tagline"
    assert re.fullmatch(r"photos-[0-9a-f]{12}", directory.name)
    other = load.base / "other" / "photos"
    other.mkdir(parents=True)
    assert load(PHOTO_STORAGE_PATH=str(other)).database_directory not in (directory, None)


def test_default_directory_by_xdg(load):
    """XDG_DATA_HOME is where it goes when it is absolute."""
    assert load(XDG_DATA_HOME="/xdg").database_directory.parent == Path("/xdg/tagline")
    home = load.base / "home/.local/share/tagline"
    assert load(XDG_DATA_HOME="relative").database_directory.parent == home


def test_default_directory_through_a_link(load):
    """The same photos by another path have the same directory."""
    link = load.base / "link"
    link.symlink_to(load.photos)
    linked = load(PHOTO_STORAGE_PATH=str(link))
    assert linked.database_directory == load().database_directory
    assert linked.photo_storage_path == link


def test_default_directory_name(load):
    """A name that is no plain word gives a plain directory name, of bounded length."""
    for name in ("Ferien 2024, Çeşme", "-", "\udcff", "x" * 200, "日本"):
        (load.base / name).mkdir()
        directory = load(PHOTO_STORAGE_PATH=str(load.base / name)).database_directory
        assert re.fullmatch(r"[a-z0-9-]{1,40}-[0-9a-f]{12}", directory.name)


@pytest.mark.parametrize("home", ["", "relative"])
def test_no_home(load, home):
    """Without a home directory the line names the variable that helps."""
    assert load.fault(HOME=home).startswith("DATABASE_URL: is not set, and there is no home")


def test_memory(load):
    """tinydb:// alone is in memory."""
    assert load(DATABASE_URL="tinydb://").database_directory is None


@pytest.mark.parametrize("path", ["photos", "photos/.tagline", "link", "link/x", "a/../photos/b"])
def test_never_inside_the_photos(load, path):
    """A directory inside the photos is refused, by whatever path."""
    (load.base / "link").symlink_to(load.photos)
    line = load.fault(DATABASE_URL=f"tinydb://{load.base}/{path}")
    assert line.startswith("DATABASE_URL: lies inside the photo directory")


def test_default_never_inside_the_photos(load):
    """Serving one's whole home asks for another place for the index."""
    (load.base / "home").mkdir()
    line = load.fault(PHOTO_STORAGE_PATH=str(load.base / "home"))
    assert line.startswith("DATABASE_URL: is not set, and its default lies inside")


def test_beside_the_photos(load):
    """A directory around or beside the photos is fine, even with a name that begins the same."""
    for path in ("", "/photos-index"):
        directory = Path(f"{load.base}{path}")
        assert load(DATABASE_URL=f"tinydb://{directory}").database_directory == directory


# --- .env.example ---


def example() -> dict[str, str]:
    """The assignments of .env.example, all of which are commented out."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert not re.search(r"^[^#\n]", text, re.MULTILINE)
    return dict(re.findall(r"^# ([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_example_has_every_variable():
    """.env.example and the settings name the same variables with the same defaults."""
    defaults = {name: default_text(value) for name, value in variables().items()}
    files = {"BACKEND_PASSWORD_FILE": "", "JWT_SECRET_FILE": ""}
    assert example() == defaults | files


def default_text(value: object) -> str:
    """A default as it stands in .env.example."""
    return "" if value in (None, ()) else str(value)


def test_example_uncommented(load):
    """With every line of .env.example uncommented the settings are the defaults."""
    load.env_file.write_text("".join(f"{name}={text}\n" for name, text in example().items()))
    assert load() == load_settings(environ=load.environ, env_file=None)


def test_names_by_the_design():
    """Five well-known names stand bare, the rest begin with TAGLINE_."""
    bare = {name for name in variables() if not name.startswith("TAGLINE_")}
    assert bare == {
        "PHOTO_STORAGE_BACKEND",
        "PHOTO_STORAGE_PATH",
        "DATABASE_URL",
        "BACKEND_PASSWORD",
        "JWT_SECRET",
        "CORS_ALLOWED_ORIGINS",
    }


def test_settings_are_frozen(load):
    """Settings cannot be changed."""
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1


def test_the_process_environment(load, monkeypatch):
    """Without an environment given, the process's own counts."""
    monkeypatch.setenv("PHOTO_STORAGE_PATH", str(load.photos))
    monkeypatch.setenv("TAGLINE_PORT", "1234")
    for name in [n for n in os.environ if n.startswith("TAGLINE_") and n != "TAGLINE_PORT"]:
        monkeypatch.delenv(name)
    assert load_settings(env_file=None).port == 1234


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["http", "https", "capacitor"]),
            st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=10),
            st.none() | st.integers(1, 65535),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_origins(items):
    """Origins come out as browsers send them: in lower case, without a default port, each once."""
    texts = [f"{s}://{h}" + ("" if p is None else f":{p}") for s, h, p in items]
    settings = load_settings(
        {"PHOTO_STORAGE_BACKEND": "memory"},
        environ={"CORS_ALLOWED_ORIGINS": " , ".join(text.upper() for text in texts)},
        env_file=None,
    )
    standard = {"http": 80, "https": 443}
    expected = [
        f"{s}://{h}" + ("" if p in (None, standard.get(s)) else f":{p}") for s, h, p in items
    ]
    assert settings.cors_allowed_origins == tuple(dict.fromkeys(expected))


def test_any_origin():
    """* means any origin."""
    settings = load_settings(
        {"PHOTO_STORAGE_BACKEND": "memory", "CORS_ALLOWED_ORIGINS": " * "},
        environ={},
        env_file=None,
    )
    assert settings.cors_allowed_origins == ("*",)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CORS_ALLOWED_ORIGIN", "CORS_ALLOWED_ORIGINS"),
        ("BACKEND_PASWORD", "BACKEND_PASSWORD"),
        ("BACKEND_PASSWORD_FLIE", "BACKEND_PASSWORD_FILE"),
        ("database_url", "DATABASE_URL"),
        ("DATABASE_URL", None),
        ("PHOTOS", None),
        ("PASSWORD", None),
    ],
)
def test_what_looks_misspelt_is_doubted(name, meant):
    """A name without the prefix may be another program's, and is told of where it is very alike."""
    told = (f"{name}: is no setting of Tagline; did you mean {meant}?",) if meant else ()
    assert doubts({name: "x", "PATH": "/bin", "HOME": "/"}) == told
