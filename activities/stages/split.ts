import { resolveClasses } from '../../experiment/spec/sets.ts'
import { splitData } from '../../unlearning/split/split.ts'
import { readLogits } from './logits.ts'
import { encodeSplit, readDataset, readSplit } from '../runtime/blob-codecs.ts'
import type { StageBody } from '../runtime/stage.ts'

export const split: StageBody<'split'> = async ({ stage, artifacts, inputs, timed }) => {
  const data = await readDataset(artifacts, inputs.dataset)
  const { split: spec, seed } = stage.params
  const classes = 'classes' in spec ? resolveClasses(spec, inputs.dataset.params.facts) : []
  const forgottenClasses = spec.kind === 'class' ? classes : []
  const logits = inputs.ranking && (await readLogits(artifacts, inputs.ranking)).retained
  const apart = inputs.comparison && (await readSplit(artifacts, inputs.comparison)).forget
  const { result, seconds } = await timed(() =>
    splitData(data, data.labels, spec, { seed, classes, logits, apart }),
  )
  const counts = {
    retained: result.retained.length,
    forget: result.forget.length,
    validation: result.validation.length,
    attackTest: result.attackTest.length,
    test: result.test.length,
    forgottenTest: result.forgottenTest.length,
  }
  return { outputs: { split: encodeSplit(result) }, metrics: { ...counts, forgottenClasses }, seconds }
}
