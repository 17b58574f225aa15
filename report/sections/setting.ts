import { seedsAt } from '../../experiment/plan/plan.ts'
import type { Environment } from '../../experiment/records/manifest.ts'
import { requestedByKind, requestedKinds } from '../../experiment/stages/requested.ts'
import type { AnyModelSpec } from '../../experiment/spec/model.ts'
import { seedsOf, stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Section, Term, Text } from '../blocks.ts'
import {
  describeChangedCode,
  describeModel,
  describeOptions,
  describeProgram,
  describeSeeds,
  describeSplit,
} from '../describe.ts'
import { counted, grouped } from '../../common/counted.ts'
import { manifestOf, type ReportInput } from '../input.ts'
import { environmentsOf } from '../json.ts'

/** The data, split, model, training, methods, seeds and versions of the run. */
export function settingSection(input: ReportInput): Section {
  const { spec, facts, plan } = input.run
  const parameters = manifestOf<'train'>(input, plan.original)?.metrics.parameters
  const environments = environmentsOf(input)
  const changedCode = describeChangedCode(stagesOf(plan))
  const fact = (term: string, text: Text, notes: readonly Text[] = []): Term => ({ term, text, notes })
  const optional = (term: string, text: string | false | undefined) =>
    text === false || text === undefined ? [] : [fact(term, text)]
  const ofSeeds = seedsOf(plan).map(({ original, gold }, i) => {
    const golds = gold.map(({ params }) => params.seed).join(', ')
    return `original ${original.params.seed}; gold ${golds}; unlearning ${seedsAt(spec, i).unlearning}`
  })
  const several = describeSeeds(spec)
  const seeds = `data ${spec.seed.data}; split ${spec.seed.split}; ${several ?? ofSeeds.join('')}`
  const items = [
    dataFact(input),
    fact('Split', `Forgets ${describeSplit(spec.split, facts)}`, splitSizes(input)),
    fact(
      'Model',
      `${describeModel(spec.model)}${parameters === undefined ? '' : `; ${counted(parameters, 'parameter')}`}`,
      sourceNotes(filesOf(spec.model)),
    ),
    ...optional('Training', spec.training && describeOptions(spec.training)),
    fact(
      'Methods',
      '',
      spec.methods.map((row): Text => {
        const { label, method, ...options } = row
        const kind = label === undefined || label === method ? '' : `${method}; `
        if (row.method !== 'external')
          return [{ strong: label ?? method }, ` ${kind}${describeOptions(options)}`]
        const files = (row.packed ?? []).flatMap(({ path, sha256 }) => [
          `; ${path}, SHA-256 `,
          { code: sha256 },
        ])
        return [{ strong: label ?? method }, ` ${kind}${describeProgram(row)}`, ...files]
      }),
    ),
    ...optional('Tuning', spec.tune && describeOptions(spec.tune)),
    fact('Attack', describeOptions(spec.attack)),
    ...optional(
      'Shadow models',
      spec.shadow &&
        `${spec.shadow.models}, each trained like the original on a random half of all samples; seed ${spec.seed.training}`,
    ),
    ...requestedKinds.flatMap((kind) => {
      const options = spec[kind]
      return options ? [fact(requestedByKind[kind].title, describeOptions(options))] : []
    }),
    fact('Seeds', seeds, several === undefined ? [] : ofSeeds.map((own, i) => `seed ${i + 1}: ${own}`)),
    ...optional(
      'Code',
      changedCode !== undefined &&
        `${changedCode}. It differs from experiment/stages/code-lock.json of its checkout.`,
    ),
    environments.length === 0
      ? fact('Software', 'n/a: no stage finished')
      : fact('Software', '', environments.map(describeEnvironment)),
  ]
  return { title: 'What was run', pageOnly: true, blocks: [{ kind: 'terms', style: 'facts', items }] }
}

/** The files that a model is read from or trained by. */
function filesOf(model: AnyModelSpec) {
  if (model.name === 'external')
    return (model.packed ?? []).map(({ path: name, sha256, bytes }) => ({ name, sha256, bytes }))
  return model.name === 'pretrained' ? (model.checkpoint?.files ?? []) : []
}

const MOST_CLASSES = 20

function dataFact({ run: { spec, facts } }: ReportInput): Term {
  const { name, classes, shape, train, test, skipped, sources } = facts
  const sum = [...train, ...test].reduce((total, count) => total + count, 0)
  const more = classes.length - MOST_CLASSES
  const named = [...classes.slice(0, MOST_CLASSES), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
  const citation = ('citation' in spec.data ? spec.data.citation : undefined) ?? facts.citation
  return {
    term: 'Data',
    text: `${name}: ${counted(sum, 'sample')} of ${shape.join(' × ')} in ${counted(classes.length, 'class', 'classes')} (${named})`,
    notes: [
      ...sourceNotes(sources),
      ...(skipped
        ? [
            `${counted(skipped.images, 'image')} left out that cannot be decoded: ${skipped.first.join(', ')}${skipped.images > skipped.first.length ? ', …' : ''}`,
          ]
        : []),
      ...(citation ? [citation] : []),
    ],
  }
}

function sourceNotes(
  files: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[],
): readonly Text[] {
  return files.map(({ name, sha256, bytes }) => [
    `${name}, ${counted(bytes, 'byte')}, SHA-256 `,
    { code: sha256 },
  ])
}

function splitSizes(input: ReportInput): readonly Text[] {
  const sizes = manifestOf<'split'>(input, input.run.plan.split)?.metrics
  if (!sizes) return []
  const { forget, retained, validation, attackTest, test, forgottenTest } = sizes
  const parts = [
    `${grouped(forget)} to forget`,
    `${grouped(retained)} retained`,
    ...(validation > 0 ? [`${grouped(validation)} for validation`] : []),
    `${grouped(attackTest)} test samples that train attacks`,
    `${grouped(test)} that are scored`,
    ...(forgottenTest > 0 ? [`${grouped(forgottenTest)} of forgotten classes, apart`] : []),
  ]
  return [parts.join(', ')]
}

function describeEnvironment({ zeroshift, node, platform, processor, tensorflow }: Environment): string {
  const parts = [`Zeroshift ${zeroshift}`, `Node ${node}`, platform, ...(processor ? [processor] : [])]
  if (!tensorflow) return parts.join(', ')
  const { version, gpu, device, threads, oneDnn, batchParts } = tensorflow
  return [
    ...parts,
    `TensorFlow ${version} on the ${gpu ?? device}`,
    counted(threads, 'thread'),
    ...(oneDnn === undefined ? [] : [`oneDNN ${oneDnn ? 'on' : 'off'}`]),
    ...(batchParts === undefined
      ? []
      : [`batches in ${batchParts} parts for lack of memory, with a batch norm each`]),
  ].join(', ')
}
