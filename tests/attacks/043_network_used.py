"""Talks to the network: internet sockets, names, netlink, packets, and sockets of other programs."""

raise SystemExit("Text for a sandbox: never run it.")

# %% own
import socket

for family, kind in [(2, 1), (2, 2), (2, 3), (10, 1), (16, 3), (17, 3), (40, 1), (38, 5), (21, 5)]:
    one = attempt(socket.socket, family, kind)
    if one is not None:
        got("a socket of family", family)
        for address in (("127.0.0.1", 22), ("8.8.8.8", 53)):
            one.settimeout(0.3)
            got("a connection", address) if attempt(lambda: one.connect(address) or True) else None
got("a name resolved") if attempt(socket.gethostbyname, "example.org") else None
for line in (attempt(lambda: open("/proc/net/unix").read()) or "").splitlines()[1:]:
    path = line.split()[-1]
    local = socket.socket(socket.AF_UNIX)
    address = "\0" + path[1:] if path.startswith("@") else path
    got("the socket", path) if path[0] in "@/" and attempt(lambda: local.connect(address) or True) else None
