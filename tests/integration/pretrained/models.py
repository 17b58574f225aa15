"""
What transformers and PEFT say of models, for peft.test.ts and trained.test.ts. Each line of the standard input is a
JSON list, either `["make", DIR]` or `["logits", BASE, ADAPTER (may be left out), PIXELS, OUT]`. "done" is printed
when it has been done.
"""

import json
import sys
import warnings

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)
import transformers

# A name that PEFT does not find in the model is a warning, and no adapter: here it is an error.
warnings.filterwarnings("error", message=".*missing adapter keys.*")


def answers(model, pixels):
    model.eval()
    with torch.no_grad():
        out = model(pixel_values=pixels, output_hidden_states=True)
    hidden = {f"hidden_states.{i}": h.contiguous() for i, h in enumerate(out.hidden_states)}
    return {"pixel_values": pixels, "logits": out.logits.contiguous(), **hidden}


def shaken(model):
    """Batch statistics and affine parameters off their defaults."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 1.5)
            elif tensor.is_floating_point() and not name.endswith("weight"):
                tensor.normal_(0, 0.3)
            elif tensor.is_floating_point() and tensor.dim() == 1:
                tensor.uniform_(0.5, 1.5)
    return model


def make(directory):
    torch.manual_seed(1)
    small = dict(
        image_size=16, patch_size=4, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=40,
        num_labels=5,
    )
    narrow = dict(embedding_size=8, hidden_sizes=[16, 32], depths=[2, 1], num_labels=5)
    models = {
        "deit": DeiTForImageClassification(DeiTConfig(**small)),
        "deit-distilled": DeiTForImageClassificationWithTeacher(DeiTConfig(**small)),
        "vit-tanh": ViTForImageClassification(ViTConfig(**small, hidden_act="gelu_new")),
        "resnet-bottleneck": ResNetForImageClassification(
            ResNetConfig(**narrow, layer_type="bottleneck", downsample_in_bottleneck=True)
        ),
    }
    pixels = torch.randn(3, 3, 16, 16)
    for name, model in models.items():
        shaken(model).save_pretrained(f"{directory}/{name}")
        save_file(answers(model, pixels), f"{directory}/{name}/reference.safetensors")

    adapters = {
        "vit-tanh": LoraConfig(
            r=4, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "fc1", "o_proj"],
            rank_pattern={"layers.1.attention.q_proj": 2, "fc1": 3}, alpha_pattern={"0.mlp.fc1": 9},
            modules_to_save=["classifier"], init_lora_weights=False,
        ),
        "deit-distilled": LoraConfig(
            r=2, target_modules=["v_proj", "cls_classifier", "distillation_classifier"], init_lora_weights=False
        ),
        "resnet-bottleneck": LoraConfig(
            r=2, target_modules=["convolution", "classifier.1"], init_lora_weights=False
        ),
    }
    for name, config in adapters.items():
        adapted = get_peft_model(models[name], config)
        if config.modules_to_save:
            with torch.no_grad():
                adapted.base_model.model.classifier.modules_to_save["default"].weight.normal_()
        adapted.save_pretrained(f"{directory}/{name}-lora")
        save_file(answers(adapted, pixels), f"{directory}/{name}-lora/reference.safetensors")


def logits(base, *rest):
    *adapter, pixels, out = rest
    kind = AutoConfig.from_pretrained(base).architectures[0]
    model, info = getattr(transformers, kind).from_pretrained(base, output_loading_info=True)
    unread = [key for key in info["missing_keys"] if not key.endswith("num_batches_tracked")]
    assert not unread and not info["unexpected_keys"], info
    if adapter:
        model = PeftModel.from_pretrained(model, adapter[0])
    model.eval()
    with torch.no_grad():
        result = model(pixel_values=load_file(pixels)["pixel_values"]).logits
    save_file({"logits": result.contiguous()}, out)


for line in sys.stdin:
    name, *arguments = json.loads(line)
    {"make": make, "logits": logits}[name](*arguments)
    print("done", flush=True)
