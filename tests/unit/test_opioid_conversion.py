"""Promises of opioid conversion."""


def test_x() -> None:
    assert True
