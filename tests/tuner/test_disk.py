import re
from pathlib import Path

import pytest

from tuner.disk import DiskFull, free_bytes, require_room


def test_room_that_is_there_is_no_obstacle(tmp_path: Path) -> None:
    require_room(tmp_path, free_bytes(tmp_path) // 2, "training")


def test_too_little_room_is_a_sentence_with_both_numbers_and_the_folder(tmp_path: Path) -> None:
    needed = free_bytes(tmp_path) + 10**12
    with pytest.raises(
        DiskFull, match=f"training needs .* MB free in {re.escape(str(tmp_path))}, where .* MB are"
    ) as e:
        require_room(tmp_path, needed, "training")
    assert str(e.value).endswith("Free some space, then train again.")
