"""Runs a module and records its system calls, those of C code included: opened files, programs, processes and sockets.

An audit hook sees only what Python does. Here the kernel stops the watched process at each such call until another
process, the supervisor, has noted it: seccomp user notification of Linux 5.7, which needs no privileges. Paths are
resolved at that moment, through links, as the kernel is about to do.

`python -m tests.security.system_calls MODULE` runs a module whose code calls `start` and `stop`.
"""

import array
import ctypes
import errno
import fcntl
import json
import os
import platform
import runpy
import select
import socket
import struct
import sys

SOCKET = "SYSTEM_CALLS_SOCKET"
"""Environment variable of the watched process: the descriptor of its connection to the supervisor."""
MACHINES = {
    "x86_64": {
        "architecture": 0xC000003E,
        "seccomp": 317,
        "clone": 56,
        "calls": {"execve": 59, "execveat": 322, "fork": 57, "vfork": 58, "socket": 41, "connect": 42},
        "paths": {
            "open": [(2, None, 0), (85, None, 0), (257, 0, 1), (437, 0, 1), (76, None, 0)],
            "move": [(82, None, 0), (82, None, 1), (264, 0, 1), (264, 2, 3), (316, 0, 1), (316, 2, 3)],
            "remove": [(87, None, 0), (263, 0, 1), (84, None, 0)],
            "make": [(83, None, 0), (258, 0, 1), (88, None, 1), (266, 1, 2), (86, None, 1), (265, 2, 3)],
        },
    },
    "aarch64": {
        "architecture": 0xC00000B7,
        "seccomp": 277,
        "clone": 220,
        "calls": {"execve": 221, "execveat": 281, "socket": 198, "connect": 203},
        "paths": {
            "open": [(56, 0, 1), (437, 0, 1), (45, None, 0)],
            "move": [(38, 0, 1), (38, 2, 3), (276, 0, 1), (276, 2, 3)],
            "remove": [(35, 0, 1)],
            "make": [(34, 0, 1), (36, 1, 2), (37, 2, 3)],
        },
    },
}
"""Numbers of the calls; of those on paths with the places of the folder, if any, and of the path in their arguments."""
CLONE3, CLONE_THREAD = 435, 0x10000
ALLOW, NOTIFY, NO_SUCH_CALL = 0x7FFF0000, 0x7FC00000, 0x00050000 | errno.ENOSYS
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x45, 0x06
SET_NO_NEW_PRIVILEGES, SET_FILTER, ALL_THREADS_AND_LISTENER = 38, 1, 1 | 8 | 16
RECEIVE, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1
NOTIFICATION = struct.Struct("QIIiIQ6Q")
"""seccomp_notif: id, process, flags, number of the call, architecture, instruction, arguments."""
HERE = -100
"""AT_FDCWD: the path is relative to the folder that the process works in."""
MAX_PATH = 4096


def start(folders):
    """Begins to record what the watched process, which calls this, does outside of some folders.

    Args:
        folders: starts of the paths that may be opened.
    """
    _ask({"start": [os.path.realpath(folder) + "/" * folder.endswith("/") for folder in folders]})


def stop():
    """Ends the recording; returns the list of calls that left the folders, started a process or made a socket."""
    return _ask({"stop": True})


def is_watched():
    """Returns whether this process runs under a supervisor."""
    return SOCKET in os.environ


def _ask(question):
    connection = socket.socket(fileno=os.dup(int(os.environ[SOCKET])))
    with connection:
        connection.send(json.dumps(question).encode())
        return json.loads(connection.recv(2**20))


def filter_program(machine):
    """Returns the filter of the calls as a list of instructions (code, jump if true, jump if false, operand)."""
    on_paths = {number for calls in machine["paths"].values() for number, *_ in calls}
    numbers = sorted({*machine["calls"].values(), *on_paths})
    program = [(LOAD, 0, 0, 4), (JUMP_IF_EQUAL, 1, 0, machine["architecture"]), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, 0)]
    # The C library then starts threads by `clone`, whose flags a filter can read.
    program += [(JUMP_IF_EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, NO_SUCH_CALL)]
    for number in numbers:
        program += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, NOTIFY)]
    program += [(JUMP_IF_EQUAL, 1, 0, machine["clone"]), (RETURN, 0, 0, ALLOW), (LOAD, 0, 0, 16)]
    return [*program, (JUMP_IF_SET, 0, 1, CLONE_THREAD), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, NOTIFY)]


def install_filter(machine):
    """Filters the calls of this process and all that it starts; returns the descriptor that a supervisor reads.

    Raises:
        OSError: this system cannot filter calls.
    """
    instructions = b"".join(struct.pack("HBBI", *instruction) for instruction in filter_program(machine))
    buffer = ctypes.create_string_buffer(instructions)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(instructions) // 8, ctypes.addressof(buffer)))
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    descriptor = system.syscall(machine["seccomp"], SET_FILTER, ALL_THREADS_AND_LISTENER, program)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return descriptor


class Supervisor:
    """Answers the calls of a watched process.

    Args:
        machine: its entry of `MACHINES`.
        listener: what `install_filter` returned in the watched process.
    """

    def __init__(self, machine, listener):
        self._listener, self._folders, self._events = listener, None, []
        self._names = {number: name for name, number in machine["calls"].items()} | {machine["clone"]: "clone"}
        self._paths = [(number, name, *places) for name, calls in machine["paths"].items() for number, *places in calls]

    def serve(self, connection):
        """Answers calls and questions until the process closes the connection."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        poll.register(connection, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == self._listener:
                    self._answer_call()
                elif question := connection.recv(2**20):
                    connection.send(json.dumps(self._answer(json.loads(question))).encode())
                else:
                    return

    def _answer(self, question):
        events, self._events = self._events, []
        self._folders = tuple(question["start"]) if "start" in question else None
        return events[:20]

    def _answer_call(self):
        notification = bytearray(NOTIFICATION.size)
        try:
            fcntl.ioctl(self._listener, RECEIVE, notification)
            number, process, _, call, _, _, *arguments = NOTIFICATION.unpack(notification)
            if self._folders is not None:
                self._record(process, call, arguments)
            fcntl.ioctl(self._listener, SEND, struct.pack("QqiI", number, 0, 0, CONTINUE))
        except OSError as error:
            # The thread was interrupted by a signal, and repeats the call, or has ended.
            if error.errno != errno.ENOENT:
                raise

    def _record(self, process, call, arguments):
        if call in self._names:
            self._events.append(f"{self._names[call]} of process {process}")
        for number, name, folder, place in self._paths:
            if number == call:
                start = folder if folder is None else arguments[folder]
                path = resolve(process, start, arguments[place], follow=name == "open")
                if not path.startswith(self._folders):
                    self._events.append(f"{name} {path}"[:200])


def resolve(process, folder, address, follow):
    """Returns the real path that a call of a process names.

    Args:
        process: its id.
        folder: descriptor that the path is relative to, as the call got it; None for the folder it works in.
        address: address of the path in its memory.
        follow: whether the call follows a link at the end of the path.
    """
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        # The next page may not exist.
        name = memory.read(min(MAX_PATH, -address % 4096 or 4096))
        if b"\0" not in name:
            name += memory.read(MAX_PATH)
    path = os.fsdecode(name.split(b"\0")[0])
    descriptor = HERE if folder is None else ctypes.c_int32(folder & 0xFFFFFFFF).value
    start = os.readlink(f"/proc/{process}/cwd" if descriptor == HERE else f"/proc/{process}/fd/{descriptor}")
    # A path of /proc/self is that of the supervisor here.
    path = os.path.join(start, path).replace("/proc/self/", f"/proc/{process}/")
    if follow:
        return os.path.realpath(path)
    parent, last = os.path.split(path)
    return os.path.join(os.path.realpath(parent), last)


def run_watched(module):
    """Runs a module in a child process under a supervisor; returns its exit status.

    Where the system cannot filter calls, the module runs unwatched, and a line on standard error says why.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    machine = MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    child = os.fork()
    if child == 0:
        ours.close()
        _become_watched(machine, theirs)
        runpy.run_module(module, run_name="__main__")
        sys.stdout.flush()
        os._exit(0)
    theirs.close()
    with ours:
        _, descriptors, *_ = ours.recvmsg(1, socket.CMSG_SPACE(4))
        if descriptors:
            (listener,) = array.array("i", descriptors[0][2])
            Supervisor(machine, listener).serve(ours)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _become_watched(machine, connection):
    listener = array.array("i")
    if machine is None:
        print("no filter: this system is not known", file=sys.stderr)
    else:
        try:
            listener.append(install_filter(machine))
        except OSError as error:
            print(f"no filter: {error.strerror}", file=sys.stderr)
    # Nothing that is watched may be called before the supervisor has the listener.
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, listener)] if listener else []
    connection.sendmsg([b"x"], rights)
    if listener:
        os.environ[SOCKET] = str(os.dup(connection.fileno()))
        os.close(listener[0])


if __name__ == "__main__":
    sys.exit(run_watched(sys.argv[1]))
