# Types of the names that sim3d/__init__.py imports on first use.
from sim3d.api import run as run
from sim3d.config import Config as Config
from sim3d.config import load_config as load_config
from sim3d.flux import Flux as Flux
from sim3d.flux_service import HondaFluxService as HondaFluxService
from sim3d.flux_service import get_flux_maps as get_flux_maps
from sim3d.results import Result as Result
from sim3d.results import load as load

__version__: str
__all__ = ["Config", "Flux", "HondaFluxService", "Result", "__version__", "get_flux_maps", "load", "load_config", "run"]
