import { modelName } from './model.ts'
import {
  adaptableLayers,
  flattenLayers,
  layerNames,
  matchesAny,
  type Layer,
  topLevelIndex,
} from '../models/layers.ts'
import { checkLayers, checkRank } from './check-layers.ts'
import { checkOptimizer } from './check-optimizer.ts'
import type { DatasetFacts } from './dataset.ts'
import { relabels, type MethodName, type MethodSpec, type MethodSpecOf } from './methods.ts'
import { targetName } from './target.ts'
import { within, type Report } from './problems.ts'
import { forgetSize, setSizes } from './sets.ts'
import type { Spec } from './spec.ts'

/** What methods do with forgotten classes that need whole ones. */
const ofWholeClasses: Readonly<Partial<Record<MethodName, string>>> = {
  unsir: 'learns noise for',
  damp: 'removes directions of',
}

/**
 * Checks one method against the split, the data and the layers of the model. Paths are relative to
 * the method.
 */
export function checkMethod(
  method: MethodSpec,
  spec: Spec,
  facts: DatasetFacts,
  layers: readonly Layer[],
  report: Report,
): void {
  const about = ofWholeClasses[method.method]
  if (about && spec.split.kind !== 'class')
    report(
      ['method'],
      `${method.method} ${about} whole classes, and the split is of kind "${spec.split.kind}"; split by class, or leave ${method.method} out`,
    )
  if (
    (method.method === 'ct' || method.method === 'msg') &&
    !flattenLayers(layers).some(({ kind }) => kind === 'conv')
  )
    report(
      ['method'],
      `${method.method} changes the kernels of convolutions, and the model ${modelName(spec.model)} has none; choose another model, or leave ${method.method} out`,
    )
  const trainable = adaptableLayers(layers).length
  if ('k' in method && method.k > trainable)
    report(['k'], `the model has ${trainable} linear and convolutional layers, and k is ${method.k}; lower k`)
  if (method.method === 'rfa' && method.steps === 0 && method.start === 'zero')
    report(
      ['steps'],
      'without a step an adapter that starts at zero changes nothing; raise steps, or set start: closed-form',
    )
  checkClasses(method, facts, report)
  if (method.method === 'ssd') checkDampening(method, spec, facts, report)
  if (method.method === 'rfa') {
    checkTarget(method, spec, facts, report)
    checkAlignment(method, layers, report)
  }
  if ('rank' in method) {
    checkLayers(method, layers, report)
    // The adapter of this target has at each layer the rank that its change needs.
    if (method.method !== 'rfa' || method.target !== 'leave-out-top') checkRank(method, layers, report)
  }
  if ('optimizer' in method && method.optimizer)
    checkOptimizer(method.optimizer, layers, within(['optimizer'], report))
}

/** Checks that the data has another class for methods that need one. */
function checkClasses(method: MethodSpec, { name, train }: DatasetFacts, report: Report): void {
  const classes = train.filter((count) => count > 0).length
  if (classes >= 2) return
  if (
    method.method === 'rfa' &&
    (method.target === 'nearest-centroid' || method.target === 'nearest-retained')
  )
    report(['target'], `${method.target} needs at least 2 classes, and ${name} has samples of ${classes}`)
  if (method.method === 'plugin' ? method.plugin.relabels : relabels[method.method])
    report(['method'], `${method.method} needs at least 2 classes, and ${name} has samples of ${classes}`)
}

/** Checks that selective synaptic dampening can select a parameter. */
function checkDampening(
  { alpha, importance }: MethodSpecOf<'ssd'>,
  { data, split }: Spec,
  facts: DatasetFacts,
  report: Report,
): void {
  const { train } = setSizes(data, facts)
  const forgotten = forgetSize(split, data, facts)
  if (alpha === 'adaptive' || importance === 'retained' || !forgotten) return
  const most = train / forgotten
  if (alpha >= most)
    report(
      ['alpha'],
      `ssd would select no parameter: the importance to all ${train} training samples includes that to the ${forgotten} forgotten ones, ` +
        `so no parameter is more than ${most.toFixed(1)} times as important to the forget set, and alpha is ${alpha}; ` +
        'set alpha: adaptive and importance: retained, as its authors do for sets of any size, or lower alpha',
    )
}

/** Checks the target and the stopping rule of residual feature alignment. */
function checkTarget(
  { target, stop, steps }: MethodSpecOf<'rfa'>,
  { data, split }: Spec,
  facts: DatasetFacts,
  report: Report,
): void {
  const apart = setSizes(data, facts).validation > 0
  if (target === 'unseen-neighbour' || target === 'unseen-margin') {
    if (split.kind === 'class')
      report(
        ['target'],
        `${target} leaves a forgotten sample in its class, and the split forgets whole classes; choose another target`,
      )
    else if (!apart)
      report(
        ['target'],
        `${target} needs samples that no model trains on, and data.validation (${data.validation}) sets none apart; give it a share such as 0.1, or choose another target`,
      )
  }
  if (stop && !apart)
    report(
      ['stop', 'rule'],
      `${stop.rule} needs samples that no model trains on, and data.validation (${data.validation}) sets none apart; give it a share such as 0.1, or leave stop out`,
    )
  if (stop && stop.every > steps)
    report(
      ['stop', 'every'],
      `the first look is after ${stop.every} steps, and there are ${steps}; look more often, or leave stop out`,
    )
}

/** Checks the options of residual feature alignment that name layers. */
function checkAlignment(method: MethodSpecOf<'rfa'>, layers: readonly Layer[], report: Report): void {
  const { target, start, distance, weights = {} } = method
  const adapted = adaptableLayers(layers).filter(matchesAny(method.layers))
  const aligned = method.align ? flattenLayers(layers).filter(matchesAny(method.align)) : adapted
  const logits = layers.at(-1)?.name ?? ''
  const others = (start === 'closed-form' ? [...adapted, ...aligned] : aligned).filter(
    ({ name }) => name !== logits,
  )
  if (target === 'unseen-margin' && others.length > 0)
    report(
      ['target'],
      `unseen-margin says what the logits are to be, and nothing of ${layerNames([...new Set(others)])}; set align: [${logits}]` +
        (start === 'closed-form' ? ' and, as the closed form aligns what it adapts, layers too' : ''),
    )
  if (method.refitEpochs !== undefined && target !== 'unseen-margin' && target !== 'leave-out-top')
    report(
      ['refitEpochs'],
      `only unseen-margin and leave-out-top ask a refit top, and the target is ${targetName(target)}; leave refitEpochs out`,
    )
  checkTop(method, layers, report)
  if (distance === 'kl' && !aligned.some(({ name }) => name === logits))
    report(
      ['distance'],
      `kl is between predictions, and ${logits} is not aligned; name it in "align", or leave distance out`,
    )
  for (const pattern of Object.keys(weights)) {
    if (!aligned.some(matchesAny([pattern])))
      report(
        ['weights', pattern],
        `"${pattern}" matches no aligned layer; the aligned ones are ${layerNames(aligned)}`,
      )
  }
}

/** Checks the options of the target leave-out-top, which other targets do not have. */
function checkTop(method: MethodSpecOf<'rfa'>, layers: readonly Layer[], report: Report): void {
  const { target, start, steps, top, renew, norms } = method
  if (target !== 'leave-out-top') {
    for (const option of ['top', 'renew'] as const)
      if (method[option] !== undefined)
        report(
          [option],
          `only leave-out-top has ${option}, and the target is ${targetName(target)}; leave ${option} out`,
        )
    return
  }
  if (start !== 'closed-form' || steps > 0)
    report(
      ['target'],
      `leave-out-top is solved for without gradient steps, and the method has start: ${start} and steps: ${steps}; set start: closed-form and steps: 0`,
    )
  if (norms)
    report(
      ['norms'],
      'leave-out-top aligns no features in steps, so that there are no batches to measure residuals on; leave norms out',
    )
  const all = adaptableLayers(layers)
  const adapted = all.filter(matchesAny(method.layers))
  const first = top === undefined ? adapted[0] : adapted.find(({ name }) => name === top)
  if (!first) {
    if (top !== undefined)
      report(
        ['top'],
        `${top} is not one of the adapted layers, which are ${layerNames(adapted)}; name one of them`,
      )
    return
  }
  const isBefore = ({ name }: Layer) => topLevelIndex(layers, name) < topLevelIndex(layers, first.name)
  const left = all.filter((layer) => !isBefore(layer) && !adapted.includes(layer))
  if (left.length > 0)
    report(
      ['layers'],
      `leave-out-top trains all layers from ${first.name} on anew, and these are not adapted: ${layerNames(left)}; name them, too`,
    )
  if (renew !== undefined && !adapted.some(isBefore))
    report(
      ['renew'],
      `no adapted layer comes before ${first.name}, so no filter is renewed; leave renew out, or adapt an earlier layer and name the first layer of the top in "top"`,
    )
}
