import { optimizerSchema, scheduleSchema } from '../../experiment/spec/optimizer.ts'
import { configSchema } from '../../experiment/spec/spec.ts'
import { settingsSchema } from '../../experiment/spec/settings.ts'
import { ledgerSchema } from '../../experiment/ledger/spec.ts'
import { sweepSchema } from '../../experiment/sweep/space.ts'
import { jsonSchemaOf, type JsonSchema } from '../../experiment/spec/option-list.ts'
import { fieldTable } from './fields.ts'
import { code, plain, sentence, table } from './markdown.ts'
import { optimizer, schedule, training } from '../../experiment/spec/named-schemas.ts'

const settings = Object.keys(settingsSchema.shape)
/** Options that have a page or a section of their own. */
const elsewhere: Readonly<Record<string, string>> = {
  data: '[data set](data-sets.md)',
  split: '[split](splits.md)',
  model: '[model](models.md)',
  methods: 'list of [methods](methods.md)',
}

/** docs/reference/configuration.md: every option of an experiment, of a sweep and of a ledger. */
export function configurationPage(): string {
  const { properties = {}, required = [] } = jsonSchemaOf(configSchema)
  const part = (names: readonly string[]): JsonSchema => ({
    properties: Object.fromEntries(
      names.flatMap((name) => (properties[name] ? [[name, properties[name]]] : [])),
    ),
    required,
  })
  const own = Object.keys(properties).filter((name) => !settings.includes(name) && !(name in elsewhere))
  const parts = table(
    ['option', 'type', 'meaning'],
    Object.entries(elsewhere).map(([name, type]) => [
      code(name),
      type,
      `${plain(properties[name]?.description ?? '')} (**required**)`,
    ]),
  )
  return [
    INTRODUCTION,
    '## Experiments',
    parts,
    fieldTable(part(own.filter((name) => name === 'training')), [optimizer, schedule]),
    fieldTable(part(own.filter((name) => name !== 'training')), [optimizer, schedule, training]),
    SETTINGS,
    fieldTable(part(settings), []),
    '## Optimizers',
    ...variants(optimizerSchema.options),
    '## Schedules',
    ...variants(scheduleSchema.options),
    SWEEPS,
    fieldTable(jsonSchemaOf(sweepSchema), []),
    LEDGERS,
    ...ledgerTables(),
  ].join('\n\n')
}

/** The options of a ledger that an experiment lacks. */
function ledgerTables(): readonly string[] {
  const { properties: { name, ladder, accept, batch } = {}, required = [] } = jsonSchemaOf(ledgerSchema)
  const steps = [
    code('ladder'),
    elsewhere.methods ?? '',
    `${plain(ladder?.description ?? '')} (**required**)`,
  ]
  return [
    table(['option', 'type', 'meaning'], [steps]),
    fieldTable(
      {
        properties: { ...(name && { name }), ...(accept && { accept }), ...(batch && { batch }) },
        required,
      },
      [],
    ),
  ]
}

type Variants = (typeof optimizerSchema | typeof scheduleSchema)['options']

/** A heading, the description and the options of each variant. */
function variants(schemas: Variants): readonly string[] {
  return schemas.flatMap((schema) => {
    const json = jsonSchemaOf(schema)
    const options = Object.keys(json.properties ?? {}).length > 1
    return [
      `### \`${schema.shape.name.value}\``,
      plain(sentence(schema.description ?? '')),
      ...(options ? [fieldTable(json, [], { omit: ['name'] })] : []),
    ]
  })
}

const INTRODUCTION = `# Configuration

An experiment is a YAML file, and so are a sweep and a ledger. A mistake is refused before any work starts, with file, line and column. With this first
line, editors complete and check the file:

\`\`\`yaml
# yaml-language-server: $schema=…/configs/schema.json
\`\`\`

\`-S PATH=VALUE\` of \`run\` and \`sweep\` overrides one option. A path has the names of the tables below and indices from 0:
\`-S 'methods[3].rank=4'\`. In an experiment, \`run\` also takes a row of \`methods\` by its label, or by its method if no other row has it:
\`-S 'methods[rfa].rank=4'\`.`

const SETTINGS = `### Settings of the machine

These options say where things are. They are in the same file, and they change no result and no key.`

const SWEEPS = `## Sweeps

A sweep names one or several base experiments and the values of the options that vary ([guide](../guides/sweeps.md)).`

const LEDGERS = `## Ledgers

A ledger fulfils deletion requests on one model ([guide](../guides/deletion-requests.md)). It has the sections of an experiment without \`split\`, \`methods\`, \`seeds\` and
\`tune\`, the settings of the machine, and these options.`
