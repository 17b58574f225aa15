import type { DatasetFacts } from './dataset.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import type { MethodName, MethodSpec, MethodSpecOf } from './methods.ts'
import {
  adaptableLayers,
  checkpointOf,
  flattenLayers,
  layersOf,
  matchesAny,
  maxRank,
  type Layer,
} from '../models/model.ts'
import { suggestion } from '../../common/nearest.ts'
import { formatPath, type Locate, type Path } from '../../common/path.ts'
import { preparedShape } from '../models/preparation.ts'
import type { DataSpec, Spec, SplitSpec } from './spec.ts'

/**
 * What a spec asks of the data and the model, checked before any work starts.
 * Throws one UserError with every problem in it.
 */
export function checkSpec(spec: Spec, facts: DatasetFacts, locate: Locate): void {
  const problems: Problem[] = []
  const report: Report = (path, message) => {
    problems.push({ ...locate(path), message, path: formatPath(path) })
  }
  checkSets(spec, facts, report)
  checkImages(spec, facts, report)
  // One split is shared by all seeds, and each has an original of its own.
  if (spec.split.kind === 'hard' && spec.seeds !== undefined)
    report(
      ['seeds'],
      `a hard split is what the original of one seed makes of it, and there are ${spec.seeds} seeds; ` +
        'leave seeds out, or give the samples that one run forgot as indices',
    )
  checkModel(spec, facts, report)
  const layers = layersOf(spec.model, facts.shape, facts.classes.length)
  checkTune(spec, layers, report)
  spec.methods.forEach((method, i) => {
    checkMethod(method, spec.split, facts, (path, message) => {
      report(['methods', i, ...path], message)
    })
    if (method.method === 'rfa') {
      const reportOf: Report = (path, message) => {
        report(['methods', i, ...path], message)
      }
      checkTarget(method, spec, facts, reportOf)
      checkAlignment(method, layers, reportOf)
    }
    if ('rank' in method)
      checkLayers(method, layers, (path, message) => {
        report(['methods', i, ...path], message)
      })
  })
  spec.probe?.layers.forEach((pattern, i) => {
    const probed = adaptableLayers(layers)
    if (!probed.some(matchesAny([pattern])))
      report(
        ['probe', 'layers', i],
        `"${pattern}" matches no layer that is probed; these are ${names(probed)}`,
      )
  })
  if (problems.length > 0) throw new UserError(problems)
}

type Report = (path: Path, message: string) => void

/** How many samples a data set gives to each side, before the split. */
export function setSizes(
  data: DataSpec,
  facts: DatasetFacts,
): { readonly train: number; readonly validation: number; readonly test: number } {
  const samples = sum(facts.train)
  const cut = Math.round(testShare(data) * samples)
  const validation = Math.round(data.validation * (samples - cut))
  return { train: samples - cut - validation, validation, test: cut + sum(facts.test) }
}

/** The share of the training files' samples that is cut off for testing. */
export function testShare(data: DataSpec): number {
  return 'test' in data && typeof data.test === 'number' ? data.test : 0
}

/** How many of some training samples a split forgets that gives a `fraction` or a `count` of them. */
export function forgetCount(
  { count, fraction = 0 }: { readonly count?: number | undefined; readonly fraction?: number | undefined },
  samples: number,
): number {
  return count ?? Math.round(fraction * samples)
}

type ClassesSplit = Extract<SplitSpec, { classes: unknown }>

/** Indices of the classes that a split names, in ascending order. Throws a UserError where the data lacks one. */
export function resolveClasses(split: ClassesSplit, facts: DatasetFacts): readonly number[] {
  const problems: Problem[] = []
  const indices = resolved(split, facts, (path, message) => {
    problems.push({ message, path: formatPath(path) })
  })
  if (problems.length > 0) throw new UserError(problems)
  return indices
}

function resolved(split: ClassesSplit, { classes, name }: DatasetFacts, report: Report): readonly number[] {
  const indices = new Set<number>()
  split.classes.forEach((wanted, i) => {
    const path = ['split', 'classes', i]
    const index = typeof wanted === 'number' ? wanted : classes.indexOf(wanted)
    const known = classes[index]
    if (known === undefined)
      report(
        path,
        typeof wanted === 'number'
          ? `${name} has no class ${wanted}; its classes are 0 to ${classes.length - 1}: ${classes.join(', ')}`
          : `${name} has no class "${wanted}"${suggestion(wanted, classes, 'its classes are')}`,
      )
    else if (indices.has(index)) report(path, `class ${index} ("${known}") is listed twice; remove one`)
    else indices.add(index)
  })
  return [...indices].sort((a, b) => a - b)
}

function checkSets({ data, split }: Spec, facts: DatasetFacts, report: Report): void {
  const sizes = setSizes(data, facts)
  if (sizes.train < 2)
    report(
      ['data'],
      `only ${sizes.train} of ${sum(facts.train)} samples are left for training; lower the share that is held out`,
    )

  let forgotten: readonly number[] = []
  switch (split.kind) {
    case 'class': {
      forgotten = presentClasses(split, facts, report)
      if (facts.train.every((count, index) => count === 0 || forgotten.includes(index)))
        report(
          ['split', 'classes'],
          'the retained set is empty: every class that the data has is to be forgotten; leave one out',
        )
      break
    }
    case 'random':
    case 'hard': {
      const count = forgetCount(split, sizes.train)
      const path = ['split', split.count === undefined ? 'fraction' : 'count']
      if (count < 1)
        report(
          path,
          `the forget set is empty: ${split.fraction ?? 0} of ${sizes.train} training samples rounds to 0; raise the fraction, or give a count`,
        )
      checkRetained(count, sizes.train, path, report)
      break
    }
    case 'class-fraction': {
      const indices = presentClasses(split, facts, report)
      if (indices.length === 0) break
      const samples = sum(indices.map((index) => facts.train[index] ?? 0))
      // Which of them are held out is drawn when the data is read: this many are left, give or take a few.
      const expected = Math.round((samples * sizes.train) / sum(facts.train))
      if (split.count !== undefined && split.count > samples)
        report(
          ['split', 'count'],
          `the classes have ${samples} samples, those held out included, and ${split.count} are to be forgotten; lower the count, or name more classes`,
        )
      else if (forgetCount(split, expected) < 1)
        report(
          ['split', 'fraction'],
          `the forget set is empty: ${split.fraction ?? 0} of some ${expected} training samples rounds to 0; raise the fraction, or give a count`,
        )
      else
        checkRetained(
          forgetCount(split, expected),
          sizes.train,
          ['split', split.count === undefined ? 'fraction' : 'count'],
          report,
        )
      break
    }
    case 'indices':
      // Whether each is a training sample's, only the data tells (experiment/spec/indices.ts).
      if (split.indices)
        checkRetained(
          split.indices.length,
          sizes.train,
          ['split', split.file === undefined ? 'indices' : 'file'],
          report,
        )
  }

  // Half of them trains the attack, the other half is scored.
  const share = testShare(data) > 0 ? sizes.test / sum(facts.train) : 1
  const counts = sum(facts.test) > 0 ? facts.test : facts.train
  const test = Math.round(share * sum(counts.filter((_, index) => !forgotten.includes(index))))
  if (test < 2)
    report(
      ['data', 'test'],
      `only ${test} test samples are not of a forgotten class; expected at least 2: half of them trains the attack, the other half is scored`,
    )
}

/** The classes of a split; those without a training sample are reported. */
function presentClasses(split: ClassesSplit, facts: DatasetFacts, report: Report): readonly number[] {
  const indices = resolved(split, facts, report)
  split.classes.forEach((wanted, i) => {
    const index = typeof wanted === 'number' ? wanted : facts.classes.indexOf(wanted)
    if (facts.train[index] === 0)
      report(
        ['split', 'classes', i],
        `the data has no training sample of class ${index} ("${facts.classes[index] ?? ''}"), so there is nothing to forget`,
      )
  })
  return indices
}

function checkRetained(count: number, train: number, path: Path, report: Report): void {
  if (count >= train)
    report(
      path,
      `the retained set is empty: ${count} of ${train} training samples are to be forgotten; expected at most ${train - 1}`,
    )
}

function checkImages({ training: { augment } }: Spec, { name, shape }: DatasetFacts, report: Report): void {
  const [height, width] = shape
  if (augment.crop >= Math.min(height, width))
    report(
      ['training', 'augment', 'crop'],
      `a padding of ${augment.crop} pixels lets a crop of ${name}'s ${height}×${width} images show nothing of them; expected at most ${Math.min(height, width) - 1}`,
    )
}

/** Whether the data's images can become those that a pre-trained model takes. */
function checkModel({ model }: Spec, { name, shape }: DatasetFacts, report: Report): void {
  if (model.name !== 'pretrained') return
  const { architecture, preparation } = checkpointOf(model)
  const [height, width] = preparedShape(shape, preparation, architecture.channels)
  if (shape[2] !== 1 && shape[2] !== architecture.channels)
    report(
      ['model'],
      `the model takes images of ${architecture.channels} channels, and ${name}'s have ${shape[2]}`,
    )
  if (architecture.kind === 'vit' && `${height}×${width}` !== architecture.image.join('×'))
    report(
      ['model'],
      `${name}'s ${shape[0]}×${shape[1]} images come out at ${height}×${width}, and the model takes ${architecture.image.join('×')}; ` +
        'give the checkpoint a preprocessor_config.json that resizes or crops them to that size',
    )
}

function checkTune({ model, training: { tune } }: Spec, layers: readonly Layer[], report: Report): void {
  if (!tune) return
  if (model.name !== 'pretrained')
    report(
      ['training', 'tune'],
      `${model.name} starts from new weights, all of which have to be trained; leave tune out, or set model.name: pretrained`,
    )
  if (tune.what === 'lora')
    checkLayers({ ...tune, layers: [...tune.layers] }, layers.slice(0, -1), (path, message) => {
      report(['training', 'tune', ...path], message)
    })
}

function checkMethod(
  method: MethodSpec,
  split: SplitSpec,
  { name, train }: DatasetFacts,
  report: Report,
): void {
  if (method.method === 'unsir' && split.kind !== 'class')
    report(
      ['method'],
      `unsir learns noise for whole classes, and the split is of kind "${split.kind}"; split by class, or leave unsir out`,
    )
  if (method.method === 'rfa' && method.steps === 0 && method.start === 'zero')
    report(
      ['steps'],
      'without a step an adapter that starts at zero changes nothing; raise steps, or set start: closed-form',
    )
  const classes = train.filter((count) => count > 0).length
  if (classes >= 2) return
  if (
    method.method === 'rfa' &&
    (method.target === 'nearest-centroid' || method.target === 'nearest-retained')
  )
    report(['target'], `${method.target} needs at least 2 classes, and ${name} has samples of ${classes}`)
  if (relabelling.includes(method.method))
    report(['method'], `${method.method} needs at least 2 classes, and ${name} has samples of ${classes}`)
}

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

/** What is asked of single layers by name. */
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
      `unseen-margin says what the logits are to be, and nothing of ${names([...new Set(others)])}; set align: [${logits}]` +
        (start === 'closed-form' ? ' and, as the closed form aligns what it adapts, layers too' : ''),
    )
  if (method.refitEpochs !== undefined && target !== 'unseen-margin')
    report(
      ['refitEpochs'],
      `only unseen-margin asks a refit top, and the target is ${target}; leave refitEpochs out`,
    )
  if (distance === 'kl' && !aligned.some(({ name }) => name === logits))
    report(
      ['distance'],
      `kl is between predictions, and ${logits} is not aligned; name it in "align", or leave distance out`,
    )
  for (const pattern of Object.keys(weights)) {
    if (!aligned.some(matchesAny([pattern])))
      report(
        ['weights', pattern],
        `"${pattern}" matches no aligned layer; the aligned ones are ${names(aligned)}`,
      )
  }
}

/** The methods that give samples the label of another class. */
const relabelling: readonly MethodName[] = ['random-label', 'salun', 'lora-random-label', 'boundary-shrink']

type Adapting = Pick<Extract<MethodSpec, { rank: number }>, 'rank' | 'layers'> & {
  readonly align?: string[] | undefined
}

function checkLayers(method: Adapting, layers: readonly Layer[], report: Report): void {
  const { align } = method
  const all = flattenLayers(layers)
  const adaptable = adaptableLayers(layers)

  method.layers.forEach((pattern, i) => {
    if (adaptable.some(matchesAny([pattern]))) return
    const other = all.find(matchesAny([pattern]))
    report(
      ['layers', i],
      other
        ? `"${pattern}" matches no layer that LoRA adapts (${other.name} is ${other.kind}); it adapts ${names(adaptable)}`
        : `"${pattern}" matches no layer; LoRA adapts ${names(adaptable)}`,
    )
  })
  align?.forEach((pattern, i) => {
    if (!all.some(matchesAny([pattern])))
      report(['align', i], `"${pattern}" matches no layer; the layers are ${names(all)}`)
  })

  const adapted = adaptable.filter(matchesAny(method.layers))
  const small = adapted.filter((layer) => maxRank(layer) < method.rank)
  if (small.length > 0) {
    const listed = small.slice(0, 5).map((layer) => `${layer.name} (at most ${maxRank(layer)})`)
    const more = small.length > 5 ? ` and ${small.length - 5} more` : ''
    report(
      ['rank'],
      `rank ${method.rank} is above what these layers take: ${listed.join(', ')}${more}; ` +
        `lower the rank to ${Math.min(...small.map(maxRank))}, or name only wider layers in "layers"`,
    )
  }

  const first = adapted[0]
  if (!first || !align) return
  const aligned = all.filter(matchesAny(align))
  const changes = aligned.some((layer) => all.indexOf(layer) >= all.indexOf(first))
  if (aligned.length > 0 && !changes)
    report(
      ['align'],
      `every aligned layer comes before ${first.name}, the first adapted one, so nothing that is learnt reaches it; align ${first.name} or a later layer`,
    )
}

function names(layers: readonly Layer[]): string {
  return layers.map(({ name }) => name).join(', ')
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
