"""Mixed precision: layers compute in 16 bit, weights and losses stay float32."""

import keras

from kerasep.system.keras_private import flatten_layers
from kerasep.training.monitoring import expect_one_of

POLICIES = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
    "mixed_bfloat16": "mixed_bfloat16",
    "mixed_float16": "mixed_float16",
}


def policy_of(dtype: str) -> str:
    """Return the name of Keras' policy; "bfloat16" and "float16" mean the mixed ones."""
    expect_one_of("dtype", dtype, POLICIES)
    return POLICIES[dtype]


def in_precision(model: keras.Model, policy: str | None) -> keras.Model:
    """Return a copy of a model with a policy, or the model itself for None."""
    if policy is None:
        return model
    copy = type(model).from_config(model.get_config() | {"dtype": policy})
    copy.set_weights(model.get_weights())
    for layer, copied in zip(flatten_layers(model), flatten_layers(copy), strict=True):
        copied.trainable = layer.trainable
    model.share_knowledge(copy)
    return copy
