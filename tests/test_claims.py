"""A claim shows what was measured, fails where it should hold and does not, and only reports elsewhere."""

import pytest

from utils import claims, data, frontend
from utils.claims import CLAIM, ClaimFailed, claim
from utils.notebook import payoff


@pytest.fixture
def shown(monkeypatch):
    """The bundles that claims have shown, on a machine without a GPU that has read MNIST."""
    bundles = []
    monkeypatch.setattr(frontend, "show", bundles.append)
    monkeypatch.setattr(data, "_loaded", {"mnist"})
    monkeypatch.delenv("REACH_TRAINING", raising=False)
    monkeypatch.setenv("REACH_STRICT", "claims")
    return bundles


def test_a_claim_is_one_line_with_its_numbers_and_is_stored_for_programs(shown):
    claim("A table of six reads better", True, of="mnist", unit="bits", six=2.25, three_only=2.9)
    (bundle,) = shown
    assert bundle["text/plain"] == "✓ A table of six reads better: six 2.25 bits, three only 2.9 bits"
    assert "\n" not in bundle["text/html"]
    expected = {"text": "A table of six reads better", "holds": True, "unit": "bits", "of": "mnist"}
    assert bundle[CLAIM] == expected | {"measured": {"six": 2.25, "three_only": 2.9}}


def test_several_seeds_are_shown_by_mean_and_range(shown):
    claim("It learns", True, unit="%", accuracy=[98.0, 99.0, 100.0], one=[3.0], kind="small")
    assert shown[0]["text/plain"] == "✓ It learns: accuracy 99 % (mean of 3, 98 to 100), one 3 %, kind small"


def test_a_claim_that_does_not_hold_is_an_error_in_strict_mode_and_is_shown_all_the_same(shown):
    with pytest.raises(ClaimFailed, match="It is small: size 9"):
        claim("It is small", False, of="mnist", size=9)
    assert shown[0]["text/plain"] == "✗ not on this machine: It is small: size 9"


def test_in_a_payoff_it_speaks_of_the_learners_answer(shown, monkeypatch):
    monkeypatch.setenv("REACH_STRICT", "data")
    with payoff("conv2d"):
        claim("It is small", False, size=9)
    claim("It is small", False, size=9)
    claim("It is small", False, whose="your model", size=9)
    claim("It is small", False, whose="the course's model", size=9)
    assert [bundle["text/plain"].partition(": ")[0] for bundle in shown] == [
        "✗ not with your `conv2d`",
        "✗ not on this machine",
        "✗ not with your model",
        "✗ not on this machine",
    ]


def test_a_learner_goes_on_after_a_claim_that_does_not_hold(shown, monkeypatch):
    monkeypatch.setenv("REACH_STRICT", "checks,data")
    claim("It is small", False, size=9)
    assert shown[0][CLAIM]["holds"] is False


def test_a_run_of_another_kind_only_reports(shown, monkeypatch):
    claim("Speaks of text", False, of="tiny_shakespeare", bits=3.0)
    monkeypatch.setenv("REACH_TRAINING", "short")
    claim("It learns", False, of="mnist", accuracy=0.1)
    monkeypatch.delenv("REACH_TRAINING")
    monkeypatch.setattr(claims, "pick_device", lambda: type("Device", (), {"type": "cuda"})())
    claim("It is fast", False, ratio=0.1)
    said = [bundle["text/plain"].split(":")[0] for bundle in shown]
    assert said == [
        "✗ not with this data (mnist instead of tiny_shakespeare)",
        "✗ not in a rehearsal",
        "✗ not on this GPU",
    ]


def test_the_data_that_came_out_counts_and_not_what_was_asked_for(monkeypatch):
    monkeypatch.setattr(data, "_loaded", set())
    data.digits()
    data.corpus("english")
    assert data.loaded() == {"digits", "english"}


def test_a_claim_without_a_measurement_is_refused(shown):
    with pytest.raises(ValueError, match="says nothing of what was measured"):
        claim("It is better", True)


def test_a_sentence_is_text_and_no_markup(shown):
    claim("a < b & <b>", True, note="<i>")
    assert "a &lt; b &amp; &lt;b&gt;" in shown[0]["text/html"] and "&lt;i&gt;" in shown[0]["text/html"]


def test_whole_numbers_are_shown_whole(shown):
    claim("It is so", True, places=16_384, mean=16_384.4, share=0.12345)
    assert "places 16,384, mean 16,384, share 0.1235" in shown[0]["text/plain"]


@pytest.mark.parametrize(
    "name, spoken",
    [
        ("known_at_1_5", "known at 1.5:"),
        ("rate_0_003", "rate 0.003:"),
        ("at_8_16_32_layers", "at 8 16 32 layers"),
        ("lost_at_4_foreign", "lost at 4 foreign"),
    ],
)
def test_a_name_is_shown_as_it_is_said(name, spoken, shown):
    claim("It works", True, **{name: 2})
    assert shown[0]["text/plain"] == f"✓ It works: {spoken} 2"
