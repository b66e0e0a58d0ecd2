from sim3d.config.load import load_config as load_config
from sim3d.config.load import make_config as make_config
from sim3d.config.schema import Config as Config
