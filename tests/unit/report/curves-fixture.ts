import type { Options } from './fixtures.ts'

export const accuracy = [
  { step: 18, epoch: 1, training: { value: 71.5 }, validation: { value: 64 } },
  { step: 36, epoch: 2, training: { value: 98.25 }, validation: { missing: 'the logits are not finite' } },
  { step: 45, epoch: 2.5, training: { value: 100 }, validation: { value: 90.75 } },
]
export const norms = {
  layers: ['conv1', 'head'],
  points: [
    { step: 0, retained: [0, 0], forget: [0, 0] },
    { step: 20, retained: [0.0625, 0.125], forget: [0.25, 1.5] },
  ],
}
export const steps = { steps: 20, curve: [{ step: 1, loss: 1, learningRate: 0.1 }] }

/** A run that measures accuracy by epoch and residual norms. */
export const measured: Options = {
  sections: { training: { epochs: 2.5, batchSize: 64, accuracy: { samples: 200 } } },
  methods: [
    { method: 'finetune', epochs: 1 },
    { method: 'rfa', steps: 20, norms: { every: 20 } },
  ],
  figures: {
    train: () => ({ ...steps, accuracy }),
    unlearn: () => ({ ...steps, norms }),
  },
}
