"""Sends, for each case, as many numbers as fit into a message, and returns values of tensors that share their memory."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
from grading.worker import wire


def send(value):
    for channel in channels():
        channel.sendall(wire.pack({"value": value, "problem": None, "detail": "", "printed": ""}))


# %% output_size
def output_size(*case):
    send([torch.zeros(1_000_000, dtype=torch.uint8)] * 30)


# %% conv2d
def conv2d(*case):
    one = torch.zeros(1).expand(1_900_000)
    return {name: [one] * 1_000 for name in "abcdefgh"}


# %% max_pool2d
def max_pool2d(*case):
    return torch.zeros(1_900_000, dtype=torch.complex64)


# %% conv2d_unfold
def conv2d_unfold(*case):
    return [torch.zeros(1_900_000) + number for number in range(2)]


# %% parameter_counts
def parameter_counts(*case):
    return {f"a{number}": [[number]] * 90 for number in range(500)}
