"""A receipt comes back as it was written; a damaged one is none."""

from grading.receipt import Receipt


def test_a_receipt_comes_back_as_it_was_written(tmp_path):
    receipt = Receipt("group/01.ipynb", "moodle", "2026-11-01T23:00:00+01:00", True, ("s1", "s2"), ("It came late.",))
    receipt.write(tmp_path / "receipt.json")
    assert Receipt.read(tmp_path / "receipt.json") == receipt


def test_none_is_read_from_a_file_that_is_missing_or_damaged(tmp_path):
    damaged = tmp_path / "receipt.json"
    assert Receipt.read(damaged) is None
    for content in ("", "[]", "{}", '{"file": "x", "members": 3, "notes": []}', '{"unknown": 1}'):
        damaged.write_text(content)
        assert Receipt.read(damaged) is None
