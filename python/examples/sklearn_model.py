"""A random forest of scikit-learn. Its logits are the logarithms of its probabilities."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from zeroshift import Task

task = Task.load()
options = task.settings(trees=200, leaf=1)
# An original or a gold model (train), or a method that trains a smaller forest anew (unlearn).
rows = task.train if task.kind == "train" else task.retained
pixels = task.images.reshape(len(task.images), -1)

forest = RandomForestClassifier(
    options.trees, min_samples_leaf=options.leaf, random_state=task.seed, n_jobs=task.threads
)
forest.fit(pixels[rows], task.labels[rows])

# A class without training samples has the probability 0.
probabilities = np.zeros((len(pixels), len(task.classes)))
probabilities[:, forest.classes_] = forest.predict_proba(pixels)
task.save(logits=np.log(probabilities + 1e-6))
