import { stringify } from 'yaml'
import { configSchema } from '../../../../experiment/spec/spec.ts'
import { sweepSchema } from '../../../../experiment/sweep/space.ts'
import { audit, type Attempts } from '../../../support/audit.ts'
import { mistakesAt, sitesOf } from '../../../support/schema-walk.ts'

/** Configs that are wrong in one place, for every place of the schema. */

const experiment = {
  name: 'small',
  data: { name: 'digits' },
  split: { kind: 'class', classes: [3] },
  model: { name: 'mlp' },
  training: { epochs: 1 },
  methods: [{ method: 'retrain' }],
}
const sweep = { name: 'small', base: 'small.yaml' }

const attempts = (verb: string, schema: typeof configSchema | typeof sweepSchema, config: object): Attempts =>
  Object.fromEntries(
    sitesOf(schema, config)
      .flatMap(mistakesAt)
      .map(({ title, config, says }) => [
        title,
        { args: [verb, 'bad.yaml', '--dry-run'], files: { 'bad.yaml': stringify(config) }, says },
      ]),
  )

audit('an experiment with', attempts('run', configSchema, experiment))
audit('a sweep with', attempts('sweep', sweepSchema, sweep))
