import { UserError, type Problem } from '../../common/errors.ts'
import { formatPath, type Locate, type Path } from '../../common/path.ts'
import { crossChecks } from '../spec/config.ts'
import { findingsOf, type Finding } from '../spec/config-issues.ts'
import { readYaml } from '../spec/config-yaml.ts'
import { isExact } from '../spec/method-facts.ts'
import { isEnsemble } from '../spec/methods.ts'
import { settingsSchema, type Settings } from '../spec/settings.ts'
import { z } from 'zod'
import { acceptedFigures } from './accepted-figures.ts'
import { modelInUse } from './step.ts'
import { ledgerConfigSchema, ledgerSchema, type LedgerSpec } from './spec.ts'

export interface ParsedLedger {
  readonly spec: LedgerSpec
  readonly settings: Settings
  /** The place of a part of the config, or of the part that encloses it if it is not given. */
  readonly locate: Locate
}

/**
 * Parses and checks the config of a ledger. `file` is the name in errors; the file is not read.
 * Throws one UserError with every problem in it.
 */
export function parseLedger({ file, text }: { readonly file: string; readonly text: string }): ParsedLedger {
  const yaml = readYaml(text, file)
  if (yaml.value === undefined) throw new UserError(yaml.problems)
  const { data } = ledgerConfigSchema.safeParse(yaml.value)
  const findings = [
    ...(yaml.value === null
      ? [wrong([], 'the config is empty; it needs name, data, model, training and ladder')]
      : [...findingsOf(ledgerConfigSchema, yaml.value), ...experimentChecks(yaml.value)]),
    ...(data ? ledgerChecks(ledgerSchema.strip().parse(yaml.value)) : []),
  ]
  const problems = [
    ...yaml.problems,
    ...findings.map(({ message, path, at }): Problem => {
      const place = at === 'key' ? yaml.locateKey(path) : yaml.locate(path)
      return path.length > 0 ? { ...place, message, path: formatPath(path) } : { ...place, message }
    }),
  ]
  if (problems.length > 0) throw new UserError(problems)
  return {
    spec: ledgerSchema.strip().parse(yaml.value),
    settings: z.object(settingsSchema.shape).parse(yaml.value),
    locate: yaml.locate,
  }
}

/** The checks of an experiment whose methods are the steps of the ladder. */
function experimentChecks(value: unknown): readonly Finding[] {
  const { ladder, ...rest } = value as Readonly<Record<string, unknown>>
  return crossChecks({ ...rest, methods: ladder }).map(({ path, message, ...finding }) => ({
    ...finding,
    path: inLedger(path),
    message: message.replaceAll('methods[', 'ladder['),
  }))
}

/** The path in a ledger of a path in an experiment. */
export function inLedger([first, ...rest]: Path): Path {
  return first === undefined ? [] : [first === 'methods' ? 'ladder' : first, ...rest]
}

function ledgerChecks({
  model,
  original,
  gold,
  training,
  data,
  ladder,
  accept,
}: LedgerSpec): readonly Finding[] {
  const findings: Finding[] = []
  const report = (path: Path, message: string) => findings.push(wrong(path, message))
  if (model.name === 'external')
    report(['model', 'name'], 'a ledger needs a model of Zeroshift; external programs serve experiments only')
  if (gold.from !== undefined)
    report(
      ['gold', 'from'],
      'each request forgets other samples, and a gold model from elsewhere was trained without certain ones; leave from out, and gold is trained for each request',
    )
  ladder.forEach((row, i) => {
    const path = ['ladder', i, 'method']
    if (['original', 'weights', 'external'].includes(row.method))
      report(
        path,
        `${row.method} makes no model without the samples of a request; name an unlearning method, replay or retrain`,
      )
    if (isEnsemble(row))
      report(path, `${row.method} makes several models, and a ledger keeps one model in use; leave it out`)
    if (row.method === 'replay' && original)
      report(
        path,
        'replay continues from states of the training of the original, and original.from was trained elsewhere; leave replay out, or train the original here',
      )
    if (row.method === 'replay' && training && !training.replay)
      report(path, 'replay needs states of the training; set training.replay: { checkpoints: 8 }')
    if (row.label === modelInUse)
      report(
        ['ladder', i, 'label'],
        `the reports of the steps call the model before a request "${modelInUse}"; give this step another label`,
      )
    if ('tune' in row && row.tune)
      report(['ladder', i, 'tune'], 'a ledger tunes no options; give those that an experiment has found')
  })
  const isMeasured = ladder.some(({ method }) => !isExact(method))
  const figures = acceptedFigures.filter((name) => accept[name])
  if (isMeasured && figures.length === 0)
    report(
      ['accept'],
      `the ladder has approximate methods, and accept names no figure by which their models are accepted; name one of ${acceptedFigures.join(', ')}`,
    )
  for (const name of figures) {
    const path = ['accept', name]
    if (name === 'validationGap') {
      if (data.validation === 0)
        report(path, 'validationGap needs validation samples; set data.validation to a share such as 0.1')
    } else if (gold.models === 0)
      report(path, `${name} is a distance to gold, and gold: none makes none; set gold: { models: 1 }`)
    if (typeof accept[name]?.atMost === 'object' && gold.models < 2)
      report(
        [...path, 'atMost'],
        `the floor needs a second gold model, and there are ${gold.models}; set gold: { models: 2 }`,
      )
  }
  return findings
}

function wrong(path: Path, message: string): Finding {
  return { path, message, at: 'value' }
}
