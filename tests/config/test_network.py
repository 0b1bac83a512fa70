"""Base path, trusted proxies and certificate files: what is taken, and what is told."""

import ipaddress

import pytest

from tagline.config.loading import SettingsError, load_address, load_settings
from tagline.config.network import parse_base_path, parse_networks


@pytest.mark.parametrize(
    ("text", "path"),
    [("", ""), ("/", ""), ("/tagline", "/tagline"), (" /a/b-c_d.e~f/ ", "/a/b-c_d.e~f")],
)
def test_base_paths(text, path):
    """A slash at the end is dropped; the root is no path."""
    assert parse_base_path(text) == path


@pytest.mark.parametrize("text", ["tagline", "//a", "/a//b", "/../a", "/a/.", "/{x}", "/ä", "/a b"])
def test_what_is_no_base_path(text):
    """Nothing relative, empty, or with characters that a path would have to escape."""
    with pytest.raises(ValueError, match="is no such path"):
        parse_base_path(text)


def test_networks():
    """Addresses and networks of both kinds."""
    wanted = map(ipaddress.ip_network, ("127.0.0.1/32", "::1/128", "10.0.0.0/8"))
    assert parse_networks("127.0.0.1, ::1,10.0.0.0/8,") == tuple(wanted)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.0.0.1/8", "'10.0.0.1/8' is no network; 10.0.0.0/8 is"),
        ("proxy.example", "is no IP address or network"),
        ("0.0.0.0/0", "is everybody"),
        ("::/0", "is everybody"),
    ],
)
def test_what_is_no_network(text, told):
    """Each mistake is told with what is meant."""
    with pytest.raises(ValueError, match=told):
        parse_networks(text)


def test_one_certificate_file_alone_is_a_mistake(tmp_path):
    """Certificate and key come together."""
    file = tmp_path / "file"
    file.write_text("")
    given = {"PHOTO_STORAGE_BACKEND": "memory", "TAGLINE_TLS_KEY": str(file)}
    with pytest.raises(SettingsError, match="TAGLINE_TLS_CERTIFICATE: is not set"):
        load_settings(environ=given, env_file=None)


def test_the_address_is_known_whatever_else_is_wrong(tmp_path):
    """Probes need only what says where to ask."""
    given = {"TAGLINE_PORT": "81", "TAGLINE_BASE_PATH": "/t/", "TAGLINE_WATCH": "nonsense"}
    address = load_address({}, environ=given, env_file=None)
    assert (address.host, address.port, address.base_path) == ("127.0.0.1", 81, "/t")
    with pytest.raises(SettingsError, match="TAGLINE_BASE_PATH"):
        load_address({}, environ={"TAGLINE_BASE_PATH": "t"}, env_file=None)
