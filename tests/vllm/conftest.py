from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.affect_tiny import weights_folder
from harness.models.vllm.installation import Installation, find_vllm
from harness.models.vllm.server import VllmServer
from tests.vllm.serving import ENVIRONMENT, WITH_TOOLS, Served

DEFAULT = Path(__file__).parents[2] / ".venv-vllm" / "bin" / "python"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--vllm-url",
        help="a vLLM that serves affect-tiny as `tiny` already, as `served` does; saves a start",
    )
    parser.addoption(
        "--vllm-python", help="python of the environment that holds vLLM; then it must be there"
    )


@pytest.fixture(scope="session")
def python(request: pytest.FixtureRequest) -> Path:
    """The interpreter that has vLLM."""
    named = request.config.getoption("--vllm-python", default=None)
    if named is None and not DEFAULT.exists():
        pytest.skip("no vLLM here; `make test-vllm` installs one and runs these tests")
    found = Path(named or DEFAULT).absolute()
    assert shutil.which(found), f"--vllm-python {found} is no interpreter"
    return found


@pytest.fixture(scope="session")
def installation(python: Path) -> Installation:
    return find_vllm(str(python))


@pytest.fixture(scope="session", autouse=True)
def settled() -> Iterator[None]:
    """vLLM small and quiet, for every server that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """affect-tiny behind a vLLM that several tests share."""
    if url := request.config.getoption("--vllm-url", default=None):
        yield Served(url, "tiny")
        return
    installation: Installation = request.getfixturevalue("installation")
    log = tmp_path_factory.mktemp("served") / "vllm.log"
    server = VllmServer(
        lambda port: installation.command(
            weights_folder(), port=port, served="tiny", arguments=WITH_TOOLS
        ),
        log_file=log,
    )
    try:
        asyncio.run(server.start(say=lambda line: None, limit=900))
        yield Served(f"http://127.0.0.1:{server.port}", "tiny")
    finally:
        server.stop()
