import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

import office as offices


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes more than a few seconds")


def pytest_report_header(config):
    return f"program: {offices.PROGRAM}"


def pytest_collection_modifyitems(config, items):
    if not os.access(offices.PROGRAM, os.X_OK):
        raise pytest.UsageError(f"{offices.PROGRAM} is not there: say `make` first, or name it with RESTANTE=")


@pytest.fixture
def make_office(tmp_path, request):
    """Makes offices, and at the end of the test has each end in order. The logs are shown when the test fails."""
    made = []

    def make(sections=None, name=None, **options):
        office = offices.Office(tmp_path / (name or f"office{len(made) + 1}"), sections, **options)
        made.append(office)
        return office

    yield make
    troubles = []
    for office in made:
        try:
            office.close()
        except AssertionError as trouble:
            troubles.append(str(trouble))
        if office.logs:
            print(f"--- {office.where.name} said:\n{office.log()[-6000:].decode(errors='replace')}")
    shutil.rmtree(tmp_path, ignore_errors=True)
    assert not troubles, "\n".join(troubles)


@pytest.fixture
def quick_state():
    """A place for a state directory in memory, where flushes cost nothing: for tests of many messages, not of disks.
    None, for an ordinary one, where there is no such place."""
    shm = pathlib.Path("/dev/shm")
    if not shm.is_dir() or shutil.disk_usage(shm).free < 1 << 30:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="restante-test.", dir=shm) as directory:
        yield pathlib.Path(directory) / "state"


@pytest.fixture
def office(make_office):
    """An office that is open: anna, bert and carl have maildrops, with passwords NAME-secret."""
    return make_office().start()


@pytest.fixture(scope="module")
def shared_office(tmp_path_factory):
    """An open office that all tests of a module use, each with an account of its own."""
    where = tmp_path_factory.mktemp("shared")
    office = offices.Office(where).start()
    yield office
    office.close()
    shutil.rmtree(where, ignore_errors=True)


@pytest.fixture
def needs():
    """Skips the test, loudly, when a program is not installed."""

    def check(*programs):
        missing = [program for program in programs if shutil.which(program) is None]
        if missing:
            pytest.skip(f"NOT TESTED: {', '.join(missing)} is not installed; `make setup-test` does it")

    return check


class Faults:
    """The control file of failing.c: what is to fail in an office made with `library` and `variables`."""

    def __init__(self, file, library):
        self.file, self.library = file, library
        self.variables = {"FAILING": str(file)}
        self.set()

    def set(self, *rules, clock=0):
        """Rules of (call, error, count, part of the path), all others gone; and the seconds the clock is wrong by."""
        text = "".join(f"{call} {error} {count} {path}\n" for call, error, count, path in rules)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text + f"clock {clock} 0 -\n")
        os.rename(fresh, self.file)

    def clear(self):
        self.set()

    def happened(self):
        """The failures that were handed to the program, [[call, error, path]]."""
        did = self.file.with_name(self.file.name + ".did")
        return [line.split(maxsplit=2) for line in did.read_text().splitlines()] if did.exists() else []


@pytest.fixture
def faults(tmp_path, compiled):
    return Faults(tmp_path / "faults", compiled("failing.c", "-shared", "-fPIC"))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles a C file of this directory: the path of the program or of the shared object."""
    directory = tmp_path_factory.mktemp("compiled")

    def build(source, *flags):
        result = directory / pathlib.Path(source).stem
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", *flags, "-o", str(result),
                        str(pathlib.Path(__file__).parent / source), "-ldl", "-lpthread"], check=True)
        return result

    return build
