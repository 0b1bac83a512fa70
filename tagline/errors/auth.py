"""Who is not let in, and what cannot be done with API tokens."""

from datetime import timedelta

from tagline.errors.root import TaglineError, in_seconds


class AuthError(TaglineError):
    """The caller is not who they need to be."""


class InvalidPassword(AuthError):
    """The password is wrong."""

    def __init__(self) -> None:
        super().__init__("Invalid password")


class InvalidToken(AuthError):
    """A token is missing, expired, forged, revoked or reused."""

    def __init__(self, message: str | None = None) -> None:
        advice = "refresh the session, or log in again."
        super().__init__(message or f"Invalid or expired access token: {advice}")


class InvalidRefreshToken(InvalidToken):
    """The refresh token is one of these: only a new login helps. The API promises the words."""

    def __init__(self) -> None:
        super().__init__("Invalid or expired refresh token")


class ExchangedMeanwhile(AuthError):
    """Another page has just exchanged the refresh token that they share."""

    def __init__(self) -> None:
        super().__init__("Another page has just refreshed this session; repeat the request.")


class TooManyAttempts(AuthError):
    """Too many wrong passwords; try again after ``retry_after``."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(f"Too many attempts; try again {in_seconds(retry_after)}.")
        self.retry_after = retry_after


class ApiTokenError(TaglineError):
    """An API token cannot be made or ended."""


class ApiTokenNotFound(ApiTokenError):
    """No API token has this id."""

    def __init__(self, token_id: str) -> None:
        super().__init__(
            "There is no such API token, or it was revoked; look its id up in the list."
        )
        self.token_id = token_id


class ApiTokenNameTaken(ApiTokenError):
    """Another API token has this name."""

    def __init__(self, name: str) -> None:
        super().__init__("An API token of this name exists; revoke it, or choose another name.")
        self.name = name


class TooManyApiTokens(ApiTokenError):
    """There are as many API tokens as there may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} API tokens, which is the most; revoke one first.")
        self.most = most
