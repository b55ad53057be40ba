"""Has in Gradescope's metadata aliases that unfold to billions, orders for Python, and merges without end."""

LINES = ["submission_900001:", "  :submitters:", "  - :name: Eve", "    :sid: eve", "    :email: eve@example.org"]
LINES += [
    "  :created_at: 2020-01-01 00:00:00 Z",
    "  :order: !!python/object/apply:os.system ['touch /tmp/left_by_yaml']",
]
LINES += ["  :ruby: !ruby/object:Gem::Installer {i: x}", "  :date: !!timestamp 99999-99-99", "  :self: &self [*self]"]
LINES += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10) if level else 'lol'}]" for level in range(12)]
LINES += [
    f"m{level}: &m{level} {{<<: [{', '.join([f'*m{level - 1}'] * 9) if level else ''}], k{level}: 1}}"
    for level in range(12)
]
LINES += ["submission_900002: *a11", "submission_900003:", "  :submitters: *a11", "  :created_at: *m11"]


def pack(archive, notebook):
    archive.writestr("assignment_1_export/submission_metadata.yml", "\n".join(LINES))
    archive.writestr("assignment_1_export/submission_900001/01_convolution.ipynb", notebook)
    archive.writestr("assignment_1_export/submission_900002/01_convolution.ipynb", notebook)
    archive.writestr("submission_metadata.yml", "[" * 100_000)
