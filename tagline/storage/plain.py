"""Storage in which every file lies where its key says."""

from collections.abc import Iterator


class Plain:
    """What a ``PhotoStorageProvider`` says of hidden files where there are none."""

    def hidden_news(self) -> Iterator[str]:
        """None: no file stands for another one."""
        return iter(())

    def beneath(self, object_key: str) -> bytes | None:  # noqa: ARG002 - part of the protocol
        """None: no file is written elsewhere."""
        return None
