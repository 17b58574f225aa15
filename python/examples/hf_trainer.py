"""A small vision transformer, trained and fine-tuned by the Trainer of transformers."""

from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
from transformers import ViTConfig, ViTForImageClassification

from zeroshift import Task
from zeroshift.torch_support import logits, prepare

task = Task.load()
prepare(task)
size, _, channels = task.images.shape[1:]
shape = {"image_size": size, "patch_size": size // 4, "num_channels": channels, "num_labels": len(task.classes)}
config = ViTConfig(**shape, hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128)
# The Trainer of transformers 5.24 restores no weights: its files and its models name them differently.
model = ViTForImageClassification.from_pretrained(task.resume) if task.resume else ViTForImageClassification(config)
if task.kind != "train" and not task.resume:
    model.load_state_dict(task.load_model())
if task.kind == "predict":
    task.save(logits=logits(task, model))
    raise SystemExit


class Report(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **_):
        task.report(step=state.global_step, steps=state.max_steps, loss=(logs or {}).get("loss"))

    def on_save(self, args, state, control, **_):
        task.announce(state.global_step, task.checkpoints / f"checkpoint-{state.global_step}")


rows = task.train if task.kind == "train" else task.retained
samples = [{"pixel_values": image, "labels": label} for image, label in zip(task.normalised(rows), task.labels[rows])]
options = {"num_train_epochs": 20, "learning_rate": 1e-3, "per_device_train_batch_size": 32, **task.options}
arguments = TrainingArguments(
    str(task.checkpoints), seed=task.seed, use_cpu=True, report_to="none", disable_tqdm=True, **options
)
trainer = Trainer(model, arguments, train_dataset=samples, callbacks=[Report])
trainer.remove_callback(PrinterCallback)
trainer.train(resume_from_checkpoint=str(task.resume) if task.resume else None)
task.save(model=model)
