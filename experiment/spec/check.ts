import { modelName } from './model.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { formatPath, type Locate } from '../../common/path.ts'
import { smallestImage } from '../models/airbench.ts'
import type { Layer } from '../models/layers.ts'
import { checkpointOf, layersOf } from '../models/model.ts'
import { preparedShape } from '../models/preparation.ts'
import { checkLayers, checkRank } from './check-layers.ts'
import { checkGiven } from './check-given.ts'
import { checkOptimizer } from './check-optimizer.ts'
import { checkMethod } from './check-methods.ts'
import { checkPrograms } from './check-programs.ts'
import { checkReplay } from './check-replay.ts'
import { checkSets } from './check-sets.ts'
import { checkTuning } from './check-tuning.ts'
import type { DatasetFacts } from './dataset.ts'
import { within, type Report } from './problems.ts'
import {
  requestedByKind,
  requestedKinds,
  type RequestedKind,
  type RequestedSections,
} from '../stages/requested.ts'
import { trainedHere, type Spec, type TrainedHere } from './spec.ts'

/**
 * Checks before any work starts that the data and the model can give what the spec asks of them.
 * Throws one UserError with every problem in it.
 */
export function checkSpec(spec: Spec, facts: DatasetFacts, locate: Locate): void {
  const problems: Problem[] = []
  const report: Report = (path, message) => {
    problems.push({ ...locate(path), message, path: formatPath(path) })
  }
  checkSets(spec, facts, report)
  // All seeds share one split, and each seed has its own original.
  if (spec.split.kind === 'hard' && spec.seeds !== undefined)
    report(
      ['seeds'],
      `a hard split is what the original of one seed makes of it, and there are ${spec.seeds} seeds; ` +
        'leave seeds out, or give the samples that one run forgot as indices',
    )
  checkPrograms(spec, report)
  const trained = trainedHere(spec)
  const layers = trained && layersOf(trained.model, facts.shape, facts.classes.length)
  if (trained && layers) {
    checkImages(trained, facts, report)
    checkModel(trained, facts, report)
    checkGiven(spec, facts, report)
    checkTune(trained, layers, report)
    checkReplay({ ...trained, methods: spec.methods }, facts, layers, report)
    checkOptimizer(trained.training.optimizer, layers, within(['training', 'optimizer'], report))
    spec.methods.forEach((method, i) => {
      if (method.method !== 'external')
        checkMethod(method, spec, facts, layers, within(['methods', i], report))
    })
    checkTuning(spec, facts, layers, report)
  }
  for (const kind of requestedKinds) checkRequested(kind, spec, layers, within([kind], report))
  if (problems.length > 0) throw new UserError(problems)
}

function checkImages(
  { training: { augment } }: TrainedHere,
  { name, shape }: DatasetFacts,
  report: Report,
): void {
  const [height, width] = shape
  if (augment.crop >= Math.min(height, width))
    report(
      ['training', 'augment', 'crop'],
      `a padding of ${augment.crop} pixels lets a crop of ${name}'s ${height}×${width} images show nothing of them; expected at most ${Math.min(height, width) - 1}`,
    )
}

/** Checks that the model takes images of this size, after the preparation of pre-trained models. */
function checkModel({ model }: TrainedHere, { name, shape }: DatasetFacts, report: Report): void {
  if (model.name === 'airbench') {
    const smallest = smallestImage(model.widths.length)
    if (Math.min(shape[0], shape[1]) < smallest)
      report(
        ['model', 'name'],
        `airbench needs images of at least ${smallest}×${smallest} pixels, since poolings leave nothing of smaller ones, and ${name}'s are ${shape[0]}×${shape[1]}; choose another model`,
      )
  }
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

function checkTune(
  { model, training: { tune } }: TrainedHere,
  layers: readonly Layer[],
  report: Report,
): void {
  if (!tune) return
  if (model.name !== 'pretrained')
    report(
      ['training', 'tune'],
      `${modelName(model)} starts from new weights, all of which have to be trained; leave tune out, or set model.name: pretrained`,
    )
  if (tune.what === 'lora') {
    const adapted = { ...tune, layers: [...tune.layers] }
    const inner = within(['training', 'tune'], report)
    checkLayers(adapted, layers.slice(0, -1), inner)
    checkRank(adapted, layers.slice(0, -1), inner)
  }
}

/**
 * Checks the section of a stage kind against other sections, and against the layers of the model if
 * they are known.
 */
function checkRequested<K extends RequestedKind>(
  kind: K,
  sections: RequestedSections & Pick<Spec, 'shadow'>,
  layers: readonly Layer[] | undefined,
  report: Report,
): void {
  const options = sections[kind]
  if (!options) return
  const { needs, check } = requestedByKind[kind]
  if (needs && !sections[needs])
    report([], `${kind} needs the section ${needs}, which is absent; add \`${needs}: { models: 64 }\``)
  if (layers) check?.(options, layers, report)
}
