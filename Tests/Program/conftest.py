import os
import pathlib
import shutil

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


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles a C file of this directory: the path of the program or of the shared object."""
    import subprocess

    directory = tmp_path_factory.mktemp("compiled")

    def build(source, *flags):
        result = directory / pathlib.Path(source).stem
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", *flags, "-o", str(result),
                        str(pathlib.Path(__file__).parent / source), "-ldl", "-lpthread"], check=True)
        return result

    return build
