"""The password that is made where none is configured."""

import base64

from tagline.config.credentials import make_password


def test_a_made_password_cannot_be_guessed():
    """It stands for 128 random bits, and can be typed: letters, digits, - and _ alone."""
    made = {make_password() for _ in range(20)}
    assert len(made) == 20
    for password in made:
        assert len(base64.urlsafe_b64decode(password + "==")) * 8 >= 128
