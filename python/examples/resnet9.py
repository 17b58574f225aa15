"""ResNet-9, which Zeroshift does not know: trains it, unlearns by negative gradients, and predicts."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from zeroshift import Task
from zeroshift.torch_support import checkpoint, logits, prepare, restore, tensors


def block(*widths, pool=0):
    layers = []
    for into, out in zip(widths, widths[1:]):
        layers += [nn.Conv2d(into, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
    return nn.Sequential(*layers, *[nn.MaxPool2d(2)] * pool)


class ResNet9(nn.Module):
    def __init__(self, channels, classes, w):
        super().__init__()
        self.first, self.middle = block(channels, w, 2 * w, pool=1), block(2 * w, 2 * w, 2 * w)
        self.second, self.last = block(2 * w, 4 * w, 8 * w, pool=1), block(8 * w, 8 * w, 8 * w)
        self.head = nn.Linear(8 * w, classes)

    def forward(self, x):
        x = self.first(x)
        x = self.second(x + self.middle(x))
        return self.head((x + self.last(x)).amax((2, 3)))


task = Task.load()
device = prepare(task)
model = ResNet9(task.images.shape[3], len(task.classes), 8).to(device)
if task.kind != "train":
    model.load_state_dict(task.load_model())
if task.kind == "predict":
    task.save(logits=logits(task, model, device=device))
    raise SystemExit

options = task.settings(epochs=10, batchSize=64, learningRate=2e-3, ascent=0.0)
kept = task.batches(task.train if task.kind == "train" else task.retained, options.batchSize, name="kept")
forgotten = task.batches(task.forget, options.batchSize, name="forgotten") if options.ascent else None
steps = round(options.epochs * kept.per_epoch)
optimizer = torch.optim.Adam(model.parameters(), options.learningRate)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learningRate, steps)
parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
for step in range(restore(task, **parts), steps):
    images, labels = tensors(kept.at(step), device)
    loss = cross_entropy(model(images), labels)
    if forgotten:
        images, labels = tensors(forgotten.at(step), device)
        loss = loss - options.ascent * cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    task.report(step=step + 1, steps=steps, loss=loss)
    checkpoint(task, step + 1, **parts)
task.save(model=model)
