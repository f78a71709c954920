"""What is kept is what was read last, within its limit, and nothing once the store has changed."""

from tools.store.kept import Kept


class Shelf:
    """Reads lists of as many things as their key says, and notes what it was asked for."""

    def __init__(self, limit: int) -> None:
        self.reads: list[int] = []
        self._kept = Kept[list[int]](limit, size=len)

    def get(self, count: int, *, generation: int | None = 1) -> None:
        def read() -> list[int]:
            self.reads.append(count)
            return list(range(count))

        assert self._kept.get(count, read, generation=generation) == list(range(count))


def test_what_was_read_is_not_read_again() -> None:
    shelf = Shelf(10)
    for count in (3, 4, 3, 4):
        shelf.get(count)
    assert shelf.reads == [3, 4]


def test_after_a_change_everything_is_read_anew() -> None:
    shelf = Shelf(10)
    for generation in (1, 2, 2):
        shelf.get(3, generation=generation)
    assert shelf.reads == [3, 3]


def test_where_changes_cannot_be_seen_nothing_is_kept() -> None:
    shelf = Shelf(10)
    for _ in range(3):
        shelf.get(3, generation=None)
    assert shelf.reads == [3, 3, 3]


def test_beyond_the_limit_what_was_used_longest_ago_goes() -> None:
    shelf = Shelf(10)
    for count in (5, 4, 5, 3, 5, 4):
        shelf.get(count)
    assert shelf.reads == [5, 4, 3, 4]


def test_what_is_larger_than_the_limit_is_not_kept_and_drives_nothing_out() -> None:
    shelf = Shelf(10)
    for count in (5, 11, 5, 11):
        shelf.get(count)
    assert shelf.reads == [5, 11, 11]


def test_what_is_found_without_reading_belongs_to_the_same_generation() -> None:
    kept = Kept[list[int]](10, size=len)
    assert kept.found("a", generation=1) is None
    kept.get("a", lambda: [1], generation=1)
    assert kept.found("a", generation=1) == [1]
    assert kept.found("a", generation=2) is None
    assert kept.found("a", generation=None) is None
