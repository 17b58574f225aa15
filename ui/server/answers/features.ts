import { mapsOf } from '../../../activities/feature-maps.ts'
import { digestOf } from '../../../common/canonical.ts'
import type { FeatureMaps } from '../../../experiment/records/feature-maps.ts'
import type { RunRecord } from '../../../experiment/records/run.ts'
import { whyMissing } from '../../../report/input.ts'
import { mapModels, type MapModel } from '../../../report/sections/maps.ts'
import type { Features } from '../../contract.ts'
import type { Snapshot } from '../run-reader.ts'
import type { Answer, Params } from './answer.ts'
import { cached, type AnswerContext } from './context.ts'
import { failuresOf, runInput } from './run-input.ts'
import { runRecord } from './stored-record.ts'

interface Context extends Pick<AnswerContext, 'artifacts' | 'cache' | 'inputs'> {
  readonly snapshot: () => Promise<Pick<Snapshot, 'progress'>>
}

/** The maps of the features of a run's models, as far as their stages are finished. */
export async function featuresAnswer(context: Context, { run: id = '' }: Params): Promise<Answer> {
  const { artifacts } = context
  const record = await runRecord(artifacts, id)
  if (!record.spec.maps) return { json: NOT_ASKED satisfies Features }
  const stored = await runInput(context, id)
  const failed = failuresOf(record, (await context.snapshot()).progress.get(id))
  const view = await cached(context, digestOf(['features', stored.digest, failed]), async () => {
    const input = { ...stored.input, failed }
    const models = mapModels(input)
    const maps = await mapsOf(
      artifacts,
      input,
      models.map(({ stage }) => stage),
    )
    const reasonOf = ({ stage }: MapModel) =>
      stage.key in input.manifests ? 'the store lacks its maps' : whyMissing(input, [stage])
    return featuresOf(record, models, maps, reasonOf)
  })
  return { json: view satisfies Features }
}

const NOT_ASKED = {
  missing: 'This run draws no maps of features.',
  remedy:
    'Add `maps: {}` to the config, or `maps: { layer: NAME }` for the outputs of another layer than the last one, and run it again. Only the new stages are computed.',
}

function featuresOf(
  { facts }: RunRecord,
  models: readonly MapModel[],
  maps: Readonly<Record<string, FeatureMaps>>,
  reasonOf: (model: MapModel) => string,
): Features {
  const known = models.flatMap((model) => {
    const found = maps[model.stage.key]
    return found ? [{ ...model, maps: found }] : []
  })
  const [first] = known
  if (!first)
    return {
      missing: `No map is there yet${models[0] ? `: ${reasonOf(models[0])}` : ''}.`,
      remedy: 'The maps are computed after all other stages of the run.',
    }
  const training = facts.train.reduce((sum, count) => sum + count, 0)
  return {
    layer: first.maps.layer,
    samples: first.maps.samples.map(({ set, index, label }) => ({
      ...{ set, label },
      number: index < training ? index : index - training,
    })),
    classes: facts.classes,
    models: known.flatMap(({ label, isGold, maps: { points } }) =>
      'missing' in points ? [] : [{ label, isGold, ...points }],
    ),
    absent: [
      ...models.flatMap((model) =>
        maps[model.stage.key] ? [] : [{ label: model.label, reason: reasonOf(model) }],
      ),
      ...known.flatMap(({ label, maps: { points } }) =>
        'missing' in points ? [{ label, reason: points.missing }] : [],
      ),
    ],
    cka: known.flatMap(({ label, maps: { cka } }) => (cka ? [{ label, ...cka }] : [])),
  }
}
