"""SCRUB (Kurmanji et al. 2023) in PyTorch, with the options of Zeroshift's own `scrub`."""

import torch
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from zeroshift import Task
from zeroshift.torch_support import checkpoint, prepare, restore, tensors

task = Task.load()
prepare(task)
options = task.settings(
    epochs=3, maxEpochs=2, batchSize=64, forgetBatch=64, learningRate=2e-3, alpha=0.001, gamma=0.99, temperature=4.0
)
forget = task.batches(task.forget, options.forgetBatch, name="forget")
retained = task.batches(task.retained, options.batchSize, name="retained")
order = []
for epoch in range(options.epochs):
    for batches in [forget, retained] if epoch < options.maxEpochs else [retained]:
        order += [(batches, epoch * batches.per_epoch + number) for number in range(batches.per_epoch)]

teacher, student = task.torch_model(), task.torch_model().train()
optimizer = torch.optim.SGD(student.parameters(), options.learningRate, momentum=0.9, weight_decay=5e-4)
for step in range(restore(task, student=student, optimizer=optimizer), len(order)):
    batches, number = order[step]
    images, labels = tensors(batches.at(number))
    logits = student(images)
    with torch.no_grad():
        wanted = log_softmax(teacher(images) / options.temperature, 1)
    own = log_softmax(logits / options.temperature, 1)
    divergence = options.temperature**2 * kl_div(own, wanted, reduction="batchmean", log_target=True)
    kept = options.alpha * divergence + options.gamma * cross_entropy(logits, labels)
    loss = -divergence if batches is forget else kept
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    task.report(step=step + 1, steps=len(order), loss=loss)
    checkpoint(task, step + 1, student=student, optimizer=optimizer)
task.report(samples={"retained": len(task.retained), "forget": len(task.forget)})
task.save(weights=student)
