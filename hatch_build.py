"""Compiles the native function into the wheel. Without a compiler the install goes on; the server start tries again."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class NativeFunctionHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        database = Path(self.root, "thanopg", "database")
        native_build = load(database / "native_build.py")
        try:
            native_build.build(database / "native")
        except native_build.BuildFailure as failure:
            self.app.display_warning(
                f"the native function was not compiled: {failure}; it will be at the first server start"
            )
            return
        # for this platform, but for every Python: the libraries belong to PostgreSQL
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"


def load(path: Path) -> ModuleType:
    """A module by its path: thanopg itself cannot be imported before its dependencies are there."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
