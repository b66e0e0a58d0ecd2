from sim3d.primaries.build import primary_model as primary_model
from sim3d.primaries.catalogue import model_names as model_names
from sim3d.primaries.model import PrimaryModel as PrimaryModel
