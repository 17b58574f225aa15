import { flattenLayers, type Layer } from '../models/layers.ts'
import type { DatasetFacts } from './dataset.ts'
import type { ModelSpec } from './model.ts'
import type { Report } from './problems.ts'
import { classIndices, sum } from './sets.ts'
import type { Spec, TrainedHere } from './spec.ts'
import type { TrainingSpec } from './training.ts'

/** Checks that the training can keep states and read some samples late, if it is asked to. */
export function checkReplay(
  { model, training: { replay, order, tune }, methods }: TrainedHere & Pick<Spec, 'methods'>,
  facts: DatasetFacts,
  layers: readonly Layer[],
  report: Report,
): void {
  for (const [name, option] of Object.entries({ replay, order }))
    if (option && tune)
      report(
        ['training', name],
        `${name} needs a training of the whole model, and training.tune trains a part of it; leave one of them out`,
      )
  if (replay && flattenLayers(layers).some((layer) => layer.kind === 'conv' && layer.whitening === true))
    report(
      ['training', 'replay'],
      `the first layer of ${model.name} is computed from training samples before the first step, so that every kept state depends on forgotten samples; choose another model, or leave replay out`,
    )
  methods.forEach((row, i) => {
    if (row.method === 'sisa')
      checkSisa(row, model, tune !== undefined, (path, message) => report(['methods', i, ...path], message))
    if (row.method !== 'replay') return
    if (!replay)
      report(
        ['methods', i, 'method'],
        'replay continues from states of the original, and its training keeps none; set training.replay: { checkpoints: 8 }, or leave the method out',
      )
    if (row.tune) report(['methods', i, 'tune'], 'replay is exact and has no option to tune; leave tune out')
  })
  if (order) checkOrder(order, facts, report)
}

/** Checks that several models can be trained from new weights. */
function checkSisa(
  { tune: tuned }: { readonly tune?: unknown },
  model: ModelSpec,
  isTrainedInPart: boolean,
  report: Report,
): void {
  if (model.name === 'pretrained' || isTrainedInPart)
    report(
      ['method'],
      'sisa trains models from new weights, and those of this experiment start from a checkpoint or are trained in part; leave the method out',
    )
  if (tuned) report(['tune'], 'sisa is exact and has no option to tune; leave tune out')
}

function checkOrder(
  { classes, indices }: NonNullable<TrainingSpec['order']>,
  facts: DatasetFacts,
  report: Report,
): void {
  const path = ['training', 'order']
  if ((classes === undefined) === (indices === undefined)) {
    report(path, 'give the samples that come late by either classes or indices')
    return
  }
  if (classes) {
    const late = classIndices({ kind: 'class', classes }, facts, ([, ...rest], message) => {
      report([...path, ...rest], message)
    })
    if (facts.train.every((count, i) => count === 0 || late.includes(i)))
      report([...path, 'classes'], 'all classes come late, so that no sample comes early; name fewer')
  }
  const samples = sum(facts.train) + sum(facts.test)
  indices?.forEach((index, i) => {
    if (index >= samples)
      report(
        [...path, 'indices', i],
        `${facts.name} has no sample ${index}; its samples are 0 to ${samples - 1}`,
      )
  })
}
