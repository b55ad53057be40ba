"""Names its own file so that, behind what Blackboard puts in front, it reads as another's, or as handed in years ago.

Blackboard writes gradebook_COURSE_ASSIGNMENT_login_attempt_DATE_ and then the name that the student chose.
"""

FRONT = "gradebook_C_A_{}_attempt_{}_"
CHOSEN = [
    FRONT.format("honest", "2099-01-01-00-00-00") + "01_convolution.ipynb",
    "honest_attempt_2099-01-01-00-00-00_01_convolution.ipynb",
    "eve_attempt_2000-01-01-00-00-00_01_convolution.ipynb",
]


def pack(archive, notebook):
    for number, name in enumerate(CHOSEN):
        archive.writestr(FRONT.format(f"eve{number}", "2026-12-02-00-00-00") + name, notebook)
