import { seedsAt } from '../../experiment/plan/plan.ts'
import type { Environment } from '../../experiment/records/manifest.ts'
import { filesOf, type GivenModel } from '../../experiment/spec/given.ts'
import { isGoldGiven } from '../../experiment/spec/gold.ts'
import type { RowSpec } from '../../experiment/spec/methods.ts'
import type { Spec } from '../../experiment/spec/spec.ts'
import { requestedByKind, requestedKinds } from '../../experiment/stages/requested.ts'
import type { StageParams } from '../../experiment/stages/stage.ts'
import type { AnyModelSpec } from '../../experiment/spec/model.ts'
import { seedsOf, stagesOf } from '../../experiment/stages/stage-list.ts'
import type { Section, Term, Text } from '../blocks.ts'
import {
  describeChangedCode,
  describeGiven,
  describeModel,
  describeOptions,
  describePlugin,
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
    const golds = gold.length === 0 ? 'none' : gold.map(({ params }) => seedOf(params)).join(', ')
    return `original ${seedOf(original.params)}; gold ${golds}; unlearning ${seedsAt(spec, i).unlearning}`
  })
  const several = describeSeeds(spec)
  const seeds = `data ${spec.seed.data}; split ${spec.seed.split}; ${several ?? ofSeeds.join('')}`
  const items = [
    dataFact(input),
    fact('Split', `Forgets ${describeSplit(spec.split, facts)}`, splitSizes(input)),
    fact(
      'Model',
      `${describeModel(spec.model)}${parameters === undefined ? '' : `; ${counted(parameters, 'parameter')}`}`,
      sourceNotes(modelFiles(spec.model)),
    ),
    ...optional('Training', spec.training && describeOptions(spec.training)),
    ...givenFacts(spec),
    fact('Methods', '', spec.methods.map(describeMethod)),
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
function modelFiles(model: AnyModelSpec) {
  if (model.name === 'external')
    return (model.packed ?? []).map(({ path: name, sha256, bytes }) => ({ name, sha256, bytes }))
  return model.name === 'pretrained' ? (model.checkpoint?.files ?? []) : []
}

/** The seed of a model, which a model from elsewhere lacks. */
function seedOf(params: StageParams['train']): string {
  return params.on === 'given' ? 'from elsewhere' : String(params.seed)
}

/** The name of a row, and its method with its options. */
function describeMethod(row: RowSpec): Text {
  const { label, method } = row
  const kind = label === undefined || label === method ? '' : `${method}; `
  switch (row.method) {
    case 'plugin': {
      const { plugin, options, tune } = row
      const described = describeOptions({ ...options, ...(tune !== undefined && { tune }) })
      const which = `plug-in ${plugin.name}, SHA-256 ${plugin.sha256}`
      return [{ strong: label ?? plugin.name }, ` ${which}${described === '' ? '' : `; ${described}`}`]
    }
    case 'weights':
      return [{ strong: label ?? method }, ` ${describeGiven(row)}`]
    case 'external': {
      const files = (row.packed ?? []).flatMap(({ path, sha256 }) => [
        `; ${path}, SHA-256 `,
        { code: sha256 },
      ])
      return [{ strong: label ?? method }, ` ${kind}${describeProgram(row)}`, ...files]
    }
    default: {
      const { label: _, method: __, ...options } = row
      return [{ strong: label ?? method }, ` ${kind}${describeOptions(options)}`]
    }
  }
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
      ...(spec.data.name === 'plugin' ? [`read by the ${describePlugin(spec.data)}`] : []),
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

/** The original and the gold models that are not trained by the section "training". */
function givenFacts({ original, gold }: Spec): readonly Term[] {
  const files = (given: GivenModel | undefined) => (given ? sourceNotes(filesOf(given)) : [])
  const { from = [], given = [], training, unseen } = gold
  const whose = given.length === 1 ? 'a model' : counted(given.length, 'model')
  const start =
    given.length === 0
      ? 'from new weights'
      : `from the checkpoint ${describeGiven({ from: from[0], given: given[0] })}${unseen ? ', declared to have never seen the forget set' : ''}`
  return [
    ...(original
      ? [
          {
            term: 'Original',
            text: `Not trained here: ${describeGiven(original)}`,
            notes: files(original.given),
          },
        ]
      : []),
    ...(isGoldGiven(gold)
      ? [{ term: 'Gold', text: `Not trained here: ${whose} from elsewhere`, notes: given.flatMap(files) }]
      : training
        ? [
            {
              term: 'Gold',
              text: `Trained ${start}: ${describeOptions(training)}`,
              notes: given.flatMap(files),
            },
          ]
        : gold.models === 0
          ? [{ term: 'Gold', text: 'None: figures that need a gold model are missing' }]
          : []),
  ]
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
