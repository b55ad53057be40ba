"""What is alike is found in every disguise, and what the course or many of the class wrote is no finding."""

import ast
import io
import random
import zipfile

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell

from bench.disguises import DISGUISES, renamed
from grading.classroom import Classroom
from grading.exchange.archives import files_in
from grading.similarity.comparing import Similarity, compare
from grading.similarity.finding import RARE_AT_MOST, clusters, handed_in_together, pairs, rare
from grading.similarity.parts import OWN, QUIZ, parts_of
from grading.similarity.tokens import LONGEST_WORD, names_in, tokens_of_code, tokens_of_text
from grading.similarity.winnowing import GRAM, WINDOW, grams, winnow
from grading.similarity.works import File, of_class, of_earlier
from tests.grading.made_up import ASSIGNMENT, submission
from utils.files import write_whole
from utils.paths import NOTEBOOKS, SOLUTIONS

NAME, QUIZ_ID = "01_convolution", "quiz_same_output_size"

# Right or not, nobody writes this by chance; it has a comprehension, and statements that can change places.
ODD = '''def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):
    """Convolution of one image."""
    frame = torch.zeros(len(x), x.shape[1] + 2 * padding, x.shape[2] + 2 * padding)
    shifted = torch.roll(weight.flip(-1).flip(-1), 0, dims=(2, 3))
    frame[:, padding : padding + x.shape[1], padding : padding + x.shape[2]] = x.clone()
    taps = [(u * dilation, v * dilation) for u in range(weight.shape[2]) for v in range(weight.shape[3])]
    tall = len(range(0, frame.shape[1] - dilation * (weight.shape[2] - 1), stride))
    wide = len(range(0, frame.shape[2] - dilation * (weight.shape[3] - 1), stride))
    answer = bias.clone().view(-1, 1, 1).expand(-1, tall, wide).contiguous()
    for number, (down, right) in enumerate(taps):
        seen = frame[:, down : down + stride * tall : stride, right : right + stride * wide : stride]
        answer += torch.tensordot(shifted.flatten(2)[:, :, number], seen, dims=1)
    return answer
'''
LONG_TEXT = """Spread over five pixels a side, nine taps of the kernel reach as far as a dense kernel of that size,
yet nobody stores the zeros between them: hence choice **c**, since two rings of padding make up for just that reach
and leave the height and the width of the picture where they were before the layer came along and looked at it."""


def plain(number: int) -> dict[str, str]:
    """Short answers of one student, unlike those of the others."""
    words = random.Random(number)
    steps = "\n".join(f"    v{n} = x.{words.choice('abcdef')}{n}({words.randrange(99)}) + {n}" for n in range(12))
    return {"conv2d": f"def conv2d(x, weight, bias, stride=1, padding=0, dilation=1):\n{steps}\n    return v3"}


def file(student: str, answers: dict[str, str], own: tuple[str, ...] = (), earlier: bool = False) -> File:
    cells = [new_code_cell(source, id=f"own-{number}") for number, source in enumerate(own, 1)]
    return of_content(student, nbformat.writes(submission(answers, cells)).encode(), earlier)


def of_content(student: str, content: bytes, earlier: bool = False) -> File:
    return File(student, "" if earlier else student, lambda: content)


OTHERS = [file(f"o{number:02}", plain(number)) for number in range(20)]


def alike(*files: File, together=None) -> Similarity:
    """What is found among these and twenty others."""
    return compare(ASSIGNMENT, [*OTHERS, *files], together or {})


def students(found: Similarity) -> list[set[str]]:
    return [{*one.one.labels, *one.other.labels} for one in found.alike]


# --- words ---


def words(source: str) -> list[str]:
    return [token.word for token in tokens_of_code(source, names_in([source]))]


SAME = [
    ("total = x[i] + 1", "s = x[ i ]+(1)  # mine"),
    ("total += x[i]", "total = total + x[i]"),
    ("import numpy as np\ny = np.pad(x)", "import numpy\nz = numpy.pad(x)"),
    ("def f(a: int = 1) -> int:\n    'What it does.'\n    return a", "def g(b=1):\n    return b"),
    ("class A:\n    def go(self): self.w = 1", "class B:\n    def run(this): this.v = 1"),
    ("%time y = f(x)", "y = f(x)"),
    ("y = 'a'", "y = 'b'"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_makes_no_difference(one, other):
    assert words(one) == words(other)


@pytest.mark.parametrize(("one", "other"), [("f(x)", "g(x)"), ("x + 1", "x - 1"), ("y = 1", "y = 2"), ("x.a", "x.b")])
def test_what_makes_one(one, other):
    assert words(one) != words(other)


def test_a_loop_has_the_words_of_a_comprehension():
    loop, comprehension = (
        words("for i in range(n):\n    out.append(f(x[i]))"),
        words("out = [f(x[i]) for i in range(n)]"),
    )
    assert set(comprehension) - set(loop) == {"Assign"}


def test_a_text_is_its_words_in_any_script():
    said = [token.word for token in tokens_of_text("Die **Größe**, (9)!\n核は広い שלום")]
    assert said == ["die", "grösse", "9", "核", "は", "広", "い", "שלום"]


def test_words_know_their_lines():
    assert {token.line for token in tokens_of_code("\nx = 1\n\ny = (\n  2)", names_in([]))} == {2, 4, 5}


# --- fingerprints ---


@given(st.lists(st.sampled_from("abc"), min_size=GRAM + WINDOW - 1, max_size=30), st.lists(st.text(max_size=3)))
def test_enough_words_in_common_share_a_fingerprint(common, around):
    one, other = ([*before, *common, *after] for before, after in ((around, []), (["x"] * 7, around[::-1])))
    assert not set(winnow(grams(one)).values()).isdisjoint(winnow(grams(other)).values())


def test_few_are_kept_and_each_stands_where_it_says():
    hashes = grams([str(n) for n in range(1_000)])
    kept = winnow(hashes)
    assert len(kept) < len(hashes) / 2 and all(hashes[place] == one for place, one in kept.items())
    assert winnow([]) == {} and winnow([5]) == {0: 5} and grams(["a"] * (GRAM - 1)) == []


# --- pairs ---


def numbers(*ranges: range) -> np.ndarray:
    return np.array([number for one in ranges for number in one], np.int64)


def of_its_own(count: int) -> list[np.ndarray]:
    """The fingerprints of so many works that share nothing."""
    return [numbers(range(10_000 + 100 * n, 10_050 + 100 * n)) for n in range(count)]


def test_what_two_of_many_share_is_a_pair_and_what_many_share_is_none():
    shared = numbers(range(40))
    (pair,) = pairs([shared, *of_its_own(30), shared])
    assert (pair.one, pair.other, pair.share, pair.seen) == (0, 31, 1, 2) and pair.shared == frozenset(range(40))
    assert pairs([*of_its_own(12), *[shared] * 8]) == []  # 40 % of the class
    assert pairs([*of_its_own(30), *[numbers(range(5))] * 2]) == []  # five lines
    assert pairs([]) == pairs([numbers()]) == []


def test_a_small_part_of_much_own_work_is_no_pair():
    shared = range(20)
    works = [numbers(shared, range(1_000 * n, 1_000 * n + 200)) for n in (1, 2)]
    assert pairs([*of_its_own(30), *works]) == []


def test_works_of_earlier_years_are_not_compared_with_each_other():
    shared = numbers(range(40))
    works = [*of_its_own(30), shared, shared, shared]
    assert [(pair.one, pair.other) for pair in pairs(works, apart={31, 32})] == [(30, 31), (30, 32)]


def test_rare_has_a_bound_so_that_the_pairs_do_not_grow_with_the_square():
    assert rare(20) == 4 and rare(200) == 8 and rare(20_000) == RARE_AT_MOST


def test_pairs_hang_together_in_groups():
    assert clusters([(1, 2), (5, 6), (3, 4), (2, 4)]) == [[1, 2, 3, 4], [5, 6]]
    assert handed_in_together(["a", "b"], {"b": ("a", "b")}) and not handed_in_together(["a", "b"], {"a": ("a", "c")})


# --- submissions ---


@pytest.mark.parametrize("disguise", DISGUISES.values(), ids=DISGUISES)
def test_a_copy_in_disguise_is_found(disguise):
    copy = disguise(ODD, random.Random(0))
    ast.parse(copy)
    found = alike(file("s1", {"conv2d": ODD}), file("s2", {"conv2d": copy}))
    assert students(found) == [{"s1", "s2"}] and found.same_files == []
    assert found.alike[0].titles == ["Exercise 1.2 · conv2d by loops"]


def test_what_stands_in_a_helper_in_another_cell_is_found():
    helpers, _, answer = DISGUISES["split in helpers"](ODD, random.Random(1)).partition("\n\ndef conv2d")
    found = alike(file("s1", {"conv2d": ODD}), file("s2", {"conv2d": f"def conv2d{answer}"}, own=(helpers,)))
    assert students(found) == [{"s1", "s2"}] and OWN in found.alike[0].titles


def test_a_copied_text_is_found_without_any_code():
    quiz = {QUIZ_ID: ASSIGNMENT.notebook.cells[-1].source + LONG_TEXT}
    later = {QUIZ_ID: quiz[QUIZ_ID].upper().replace(" ", "  ")}
    found = alike(file("s1", quiz), file("s2", later))
    assert students(found) == [{"s1", "s2"}] and found.alike[0].titles == [QUIZ]


def test_the_courses_own_and_what_many_wrote_are_no_finding():
    solution = {
        cell.id: cell.source
        for cell in nbformat.read(SOLUTIONS / f"{NAME}.ipynb", as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code"
    }
    rng = random.Random(0)
    solved = [file(f"s{n}", {name: renamed(source, rng) for name, source in solution.items()}) for n in range(2)]
    assert alike(*solved).alike == []
    common = [file(f"s{n}", {"conv2d": renamed(ODD, rng)}) for n in range(12)]
    assert alike(*common).alike == []
    untouched = (NOTEBOOKS / f"{NAME}.ipynb").read_bytes()
    shipped = (SOLUTIONS / f"{NAME}.ipynb").read_bytes()
    for content in (untouched, shipped):
        assert alike(of_content("s1", content), of_content("s2", content)).same_files == []


def test_a_group_is_no_finding_and_whoever_copies_from_it_is():
    copies = [file(f"s{n}", {"conv2d": renamed(ODD, random.Random(n))}) for n in (1, 2)]
    group = {"s1": ("s1", "s2"), "s2": ("s1", "s2")}
    assert alike(*copies, together=group).alike == []
    stranger = file("s3", {"conv2d": renamed(ODD, random.Random(3))})
    found = alike(*copies, stranger, together=group)
    assert students(found) == [{"s1", "s3"}, {"s2", "s3"}]
    assert [[{*one.one.labels, *one.other.labels} for one in group] for group in found.groups] == [students(found)]


def test_the_same_file_is_named_unless_a_group_handed_it_in():
    one = file("s1", {"conv2d": ODD})
    found = alike(one, of_content("s2", one.read()))
    assert [work.labels for work in found.same_files] == [["s1", "s2"]] and found.alike == []
    assert alike(one, of_content("s2", one.read()), together={"s1": ("s1", "s2")}).same_files == []
    assert alike(one, of_content("x", one.read(), earlier=True)).same_files[0].labels == ["s1", "x"]


def test_forty_who_hand_in_one_file_do_not_hide_who_changed_it():
    one = file("s1", {"conv2d": ODD})
    same = [of_content(f"s{n}", one.read()) for n in range(2, 40)]
    found = alike(one, *same, file("x", {"conv2d": renamed(ODD, random.Random(0))}))
    assert len(found.same_files) == len(found.alike) == 1 and found.alike[0].other.labels == ["x"]


HOSTILE = {
    "brackets": "(" * 90_000,
    "deep": "-" * 90_000 + "1",
    "functions": "lambda:" * 10_000 + "1",
    "a long name": "a" + ".a" * 40_000,
    "no Python": "def conv2d(:\n  'open\n" * 900,
    "a NUL": "x = 1\0",
    "half a pair": "x = '\\ud800'",
    "a long number": "x = 0x" + "f" * 19_000,
    "terminal codes": "\x1b]0;\n\n\n\x07x = 1\r\u202e",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_code_stops_nothing(source):
    hostile = [file(f"h{n}", {"conv2d": source}, own=(source,) * 3 + (f"# {n}",)) for n in range(2)]
    found = alike(*hostile, file("s1", {"conv2d": ODD}), file("s2", {"conv2d": renamed(ODD, random.Random(0))}))
    assert {"s1", "s2"} in students(found)
    assert all(len(part.source) <= 20_000 for side in hostile for part in parts_of(side.read(), ASSIGNMENT))


def test_code_that_does_not_parse_is_compared_as_words():
    broken = ODD.replace("return answer", "return (answer")
    assert students(alike(file("s1", {"conv2d": broken}), file("s2", {"conv2d": f"# mine\n{broken}"}))) == [
        {"s1", "s2"}
    ]


def test_what_is_no_notebook_is_left_out():
    assert alike(of_content("s1", b"%PDF-"), of_content("s2", b"{}"), of_content("s3", b"")).works == len(OTHERS)


# --- where the files are ---


def test_the_files_of_a_class_and_of_earlier_years(tmp_path):
    content = file("any", {"conv2d": ODD}).read()
    class_, folder, archive = Classroom(tmp_path / "class"), tmp_path / "folder", tmp_path / "year.zip"
    write_whole(class_.submitted("s1", NAME), content)
    write_whole(class_.autograded("s1", NAME), content)
    write_whole(class_.submitted("s1", "02_cnn_on_mnist"), content)
    for name in ("old1_01_convolution.ipynb", "whatever.ipynb", "old_02_cnn_on_mnist.ipynb", "notes.txt"):
        write_whole(folder / name, content)
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(f"submitted/z1/{NAME}/{NAME}.ipynb", content)
        packed.writestr(f"release/{NAME}/{NAME}.ipynb", content)

    def earlier(source) -> list[str]:
        with files_in(source) as files:
            return [one.label for one in of_earlier(files, ASSIGNMENT) if one.read() == content and not one.student]

    assert [(one.label, one.student) for one in of_class(class_, ASSIGNMENT)] == [("s1", "s1")]
    assert earlier(tmp_path / "class") == ["earlier: s1"]
    assert earlier(folder) == ["earlier: old1_01_convolution.ipynb", "earlier: whatever.ipynb"]
    assert earlier(archive) == ["earlier: z1"]


def test_a_zip_that_leads_out_is_not_read(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("../../x.ipynb", b"{}")
    (tmp_path / "year.zip").write_bytes(buffer.getvalue())
    with files_in(tmp_path / "year.zip") as files:
        assert list(of_earlier(files, ASSIGNMENT)) == []


def test_a_word_without_end_is_hashed_by_its_beginning():
    code = f"import {'a' * 90_000} as b\n" + "b\n" * 200
    tokens = tokens_of_code(code, names_in([code]))
    assert max(len(token.word) for token in tokens) <= LONGEST_WORD
    assert max(len(token.word) for token in tokens_of_text("a" * 90_000)) <= LONGEST_WORD
