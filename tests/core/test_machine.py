"""Ids of this machine."""

from uuid import RFC_4122, UUID

from functions.machine import new_id


def test_a_new_id_is_a_random_uuid() -> None:
    """Version and variant are those of a random UUID, in the usual spelling, and no two are equal."""
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert {(UUID(text).version, UUID(text).variant, str(UUID(text)) == text) for text in made} == {(4, RFC_4122, True)}
