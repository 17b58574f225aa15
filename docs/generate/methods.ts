import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isNotUnlearned, methodSchemas, type RowSpec } from '../../experiment/spec/methods.ts'
import { externalMethodSchema } from '../../experiment/spec/program.ts'
import { readsOf } from '../../experiment/spec/method-facts.ts'
import { rangeText } from '../../experiment/spec/range-text.ts'
import { searchSpaces } from '../../experiment/spec/search-spaces.ts'
import { rowTuningSchema } from '../../experiment/spec/tune.ts'
import { jsonSchemaOf } from '../../experiment/spec/option-list.ts'
import { fieldTable } from './fields.ts'
import { code, plain, table } from './markdown.ts'
import { optimizer, schedule } from '../../experiment/spec/named-schemas.ts'

const FOLDER = join(import.meta.dirname, '../../unlearning/methods')

const noAlgorithm: Readonly<Record<string, string>> = {
  original:
    'The original model is trained on all training samples. As a row of the table it shows what happens without unlearning.',
  retrain:
    'The gold model is trained in the same way as the original, on the retained set alone and with a training seed of its ' +
    'own. It starts from new weights, or from the same checkpoint as the original if `model` is `pretrained`. Every other ' +
    'model is compared with it.',
  weights:
    "The model of the row is read from files, and nothing is trained: weights of the experiment's model, a checkpoint of " +
    'transformers, an adapter of PEFT on the original, or the logits of every sample in the order of the data set. Its digests ' +
    'are in the key, its place is not. See [Your model](../guides/your-model.md#weights-from-elsewhere).',
  external:
    'A program of yours in any language makes the model. [The guide](../guides/external-programs.md) has examples, and ' +
    '[the contract](program-contract.md) says what the program gets and what it leaves.',
}

/** docs/reference/methods.md: the options of every method, and the docstring of its algorithm. */
export function methodsPage(): string {
  const methods = [...methodSchemas, externalMethodSchema].map((schema) => ({
    name: schema.shape.method.value,
    about: schema.description ?? '',
    schema: jsonSchemaOf(schema),
  }))
  const list = table(
    ['method', 'what it does'],
    methods.map(({ name, about }) => [`[\`${name}\`](#${name})`, plain(about)]),
  )
  const sections = methods.map(({ name, schema }) => {
    const algorithm = noAlgorithm[name] ?? docstringOf(name)
    const options = fieldTable(schema, [optimizer, schedule], { omit: ['method'] })
    const reads = `It reads ${plain(readsOf(name))}.`
    return [`## \`${name}\``, algorithm, reads, options, ...searchSpaceOf(name)].join('\n\n')
  })
  const tuning = fieldTable(jsonSchemaOf(rowTuningSchema), [], { prefix: 'tune.' })
  return [INTRODUCTION, list, TUNING, tuning, ...sections].join('\n\n')
}

/** The values that tuning draws the options of a method from. */
function searchSpaceOf(name: RowSpec['method']): readonly string[] {
  if (name === 'external' || isNotUnlearned(name)) return []
  const ranges = Object.entries(searchSpaces[name]).map(
    ([path, range]) => `${code(path)} ${rangeText(range)}`,
  )
  if (ranges.length === 0) return ['[Tuning](#tuning) draws none of these options.']
  return [`[Tuning](#tuning) draws ${ranges.join('; ')}.`]
}

const TUNING = `## Tuning

Every method but \`original\`, \`retrain\`, \`weights\` and \`external\` takes \`tune\` besides its own options: \`false\`, or how it is
[tuned](../guides/tuning.md). \`replay\` and \`sisa\` are exact and take no other value than \`false\`. Without a space of its own it has the space at the end of its section.`

const INTRODUCTION = `# Methods

An experiment lists its methods under \`methods\`. Each entry is one row of the table of results. \`./zeroshift methods\` prints this list.
[The targets of \`rfa\`](splits.md#targets-of-rfa) have a section of their own.

Each section below gives the objective and the source of a method, as the docstring of its file in
[\`unlearning/methods\`](../../unlearning/methods) does, and then its options. _D_f_ is the forget set, _D_r_ the retained set, θ_o the
original model, CE the cross-entropy and σ the softmax. The [glossary](../glossary.md) explains the other terms.`

/** The docstring of a method's file as Markdown: paragraphs, and equations as blocks of code. */
function docstringOf(method: string): string {
  const file = join(FOLDER, `${method}.ts`)
  const own = existsSync(file) ? file : join(FOLDER, method, `${method}.ts`)
  const source = readFileSync(own, 'utf8')
  const before = source.slice(0, source.search(/^export (const unlearn|default)\b/m))
  const comment = before.slice(before.lastIndexOf('/**'))
  const lines = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/\s*$/, '')
    .split('\n')
    .map((line) => line.replace(/^ ?\* ?/, '').trimEnd())
  if (comment.length === before.length || lines.every((line) => line.trim() === ''))
    throw new Error(`${own} has no docstring before its export; expected equation and source`)
  return blocksOf(lines).join('\n\n')
}

function blocksOf(lines: readonly string[]): readonly string[] {
  const blocks: { isCode: boolean; lines: string[] }[] = []
  let isAfterGap = true
  for (const line of lines) {
    if (line === '') {
      isAfterGap = true
      continue
    }
    const isCode = line.startsWith('    ')
    const last = blocks.at(-1)
    if (last?.isCode === isCode && (!isAfterGap || isCode)) last.lines.push(line)
    else blocks.push({ isCode, lines: [line] })
    isAfterGap = false
  }
  return blocks.map(({ isCode, lines: own }) =>
    isCode
      ? ['```text', ...own.map((line) => line.slice(4)), '```'].join('\n')
      : plain(own.map((line) => line.trim()).join('\n')),
  )
}
