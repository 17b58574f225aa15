import { canonicalJson } from '../../common/canonical.ts'
import { formatPath, type Path } from '../../common/path.ts'
import { checkpointOf } from '../models/model.ts'
import type { DatasetFacts } from './dataset.ts'
import type { GivenModel } from './given.ts'
import { isGoldGiven } from './gold.ts'
import type { Report } from './problems.ts'
import type { Spec } from './spec.ts'

/**
 * Checks models that were made elsewhere against the experiment's model, and the rows and seeds
 * against the gold models that there are.
 */
export function checkGiven(spec: Spec, facts: DatasetFacts, report: Report): void {
  const { original, gold, methods, model } = spec
  if (original?.given) checkCheckpoint(original.given, ['original', 'from'], spec, facts, report)
  const goldPath = (i: number) => ['gold', 'from', ...(gold.given?.length === 1 ? [] : [i])]
  gold.given?.forEach((given, i) => {
    if (isGoldGiven(gold)) checkCheckpoint(given, goldPath(i), spec, facts, report)
    else checkStart(given, goldPath(i), spec, report)
  })
  methods.forEach((row, i) => {
    const path = ['methods', i]
    if (row.method === 'weights' && row.given)
      checkCheckpoint(row.given, [...path, 'from'], spec, facts, report)
    if (row.method === 'retrain' && gold.models === 0)
      report([...path, 'method'], 'retrain is the gold model, and gold: none makes none; leave the row out')
  })
  if (original?.given && model.name === 'pretrained' && model.head === 'new')
    report(
      ['model', 'head'],
      'head: new replaces the head of a checkpoint, and the original is used unchanged; leave head out',
    )
  if (isGoldGiven(gold) && spec.seeds !== undefined)
    report(
      ['seeds'],
      `gold.from names the same gold models for each of ${spec.seeds} seeds, so that they do not show how much gold models differ; ` +
        'leave seeds out, or train gold here: gold: { training: … }',
    )
}

/**
 * Checks a checkpoint that is used as it is. Tensors of built-in models are checked when they are
 * read.
 */
function checkCheckpoint(
  given: GivenModel,
  path: Path,
  { model }: Spec,
  { name, classes }: DatasetFacts,
  report: Report,
): void {
  if (given.kind !== 'checkpoint' || model.name !== 'pretrained') return
  if (given.checkpoint.classes !== classes.length)
    report(
      path,
      `the checkpoint has a head of ${given.checkpoint.classes} classes, and ${name} has ${classes.length}; a model that is not trained here needs a head of its own for these classes`,
    )
  checkArchitecture(given, path, { model }, report)
}

/** Checks the checkpoint from which gold's own training starts. */
function checkStart(given: GivenModel, path: Path, spec: Spec, report: Report): void {
  if (given.kind !== 'checkpoint') {
    report(
      path,
      `gold's training starts from a checkpoint of a pre-trained model alone, and the model is ${spec.model.name}; leave from out`,
    )
    return
  }
  checkArchitecture(given, path, spec, report)
}

function checkArchitecture(
  given: Extract<GivenModel, { kind: 'checkpoint' }>,
  path: Path,
  { model }: Pick<Spec, 'model'>,
  report: Report,
): void {
  if (model.name !== 'pretrained') return
  const own = checkpointOf(model)
  const { normalise, ...apartFromScale } = given.checkpoint.preparation
  // Where the experiment's model has no normalisation, the statistics of the data are used. They
  // are compared with those of the checkpoint when the data has been read.
  const found = {
    ...given.checkpoint,
    preparation: { ...apartFromScale, ...(own.preparation.normalise && normalise && { normalise }) },
  }
  for (const part of ['architecture', 'preparation'] as const) {
    const [here, wanted] = [found[part], own[part]].map((value) => canonicalJson(value))
    if (here !== wanted)
      report(
        path,
        `the ${part} of the checkpoint is ${here ?? ''}, and that of the experiment's model (${formatPath(['model', 'from'])}) is ${wanted ?? ''}; all models of an experiment need the same`,
      )
  }
}
