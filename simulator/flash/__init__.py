"""What the flash image holds: the model, the padding of its array, the runtime with the kernels it needs."""

from __future__ import annotations

from .code import code_bytes as code_bytes
from .code import kernel_bytes as kernel_bytes
from .code import narrower_name as narrower_name
from .code import registration_saving_bytes as registration_saving_bytes
from .code import undeclared_ends as undeclared_ends
from .generated import raw_weight_bytes as raw_weight_bytes
from .image import FlashImage as FlashImage
from .image import constant_bytes as constant_bytes
from .image import flash_image as flash_image
from .image import model_bytes as model_bytes
from .image import padding_bytes as padding_bytes
from .image import stored_model as stored_model
from .links import CodeBuild as CodeBuild
from .links import load_build as load_build
from .registrations import Registration as Registration
from .registrations import op_names as op_names
from .registrations import registrations as registrations
