# Types of the names that sim3d/__init__.py imports on first use.
from sim3d.api import run as run
from sim3d.config.load import load_config as load_config
from sim3d.config.schema import Config as Config
from sim3d.flux.interpolated import Flux as Flux
from sim3d.flux.service import HondaFluxService as HondaFluxService
from sim3d.flux.service import get_flux_maps as get_flux_maps
from sim3d.results.result import Result as Result
from sim3d.results.result import load as load

__version__: str
__all__ = ["Config", "Flux", "HondaFluxService", "Result", "__version__", "get_flux_maps", "load", "load_config", "run"]
