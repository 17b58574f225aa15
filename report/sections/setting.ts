import type { Environment } from '../../experiment/records/manifest.ts'
import { seedsAt } from '../../experiment/plan/plan.ts'
import { seedsOf, stagesOf } from '../../experiment/stages/stage-list.ts'
import {
  describeChangedCode,
  describeModel,
  describeOptions,
  describeSeeds,
  describeSplit,
} from '../describe.ts'
import { counted, grouped } from '../format.ts'
import { environmentsOf } from '../json.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { manifestOf, type ReportInput } from '../results.ts'

/** What was run: data, split, model, training, methods, seeds, versions. */
export function settingSection(input: ReportInput): Markup {
  const { spec, facts, plan } = input.run
  const parameters = manifestOf<'train'>(input, plan.original)?.metrics.parameters
  const environments = environmentsOf(input)
  const changedCode = describeChangedCode(stagesOf(plan))
  const citation = ('citation' in spec.data ? spec.data.citation : undefined) ?? facts.citation
  return html`<section>
    <h2>What was run</h2>
    <dl class="facts">
      ${fact('Data', [
        html`<p>
          ${facts.name}: ${counted(sum(facts.train) + sum(facts.test), 'sample')} of
          ${facts.shape.join(' × ')} in ${counted(facts.classes.length, 'class', 'classes')}
          (${firstOf(facts.classes)})
        </p>`,
        sourceNotes(facts.sources),
        facts.skipped &&
          html`<p class="note">
            ${counted(facts.skipped.images, 'image')} left out that cannot be decoded:
            ${facts.skipped.first.join(', ')}${facts.skipped.images > facts.skipped.first.length && ', …'}
          </p>`,
        citation && html`<p class="note">${citation}</p>`,
      ])}
      ${fact('Split', [html`<p>Forgets ${describeSplit(spec.split, facts)}</p>`, splitSizes(input)])}
      ${fact('Model', [
        html`<p>
          ${describeModel(spec.model)}${parameters === undefined ? '' : `; ${counted(parameters, 'parameter')}`}
        </p>`,
        spec.model.name === 'pretrained' && sourceNotes(spec.model.checkpoint?.files ?? []),
      ])}
      ${fact('Training', describeOptions(spec.training))}
      ${fact(
        'Methods',
        spec.methods.map(({ label, method, ...options }) => {
          const described = describeOptions(options)
          const kind = label === undefined || label === method ? '' : `${method}; `
          return html`<p>
            <strong>${label ?? method}</strong> <span class="inline-note">${kind}${described}</span>
          </p>`
        }),
      )}
      ${fact('Attack', describeOptions(spec.attack))}
      ${spec.shadow && fact('Shadow models', `${spec.shadow.models}, each trained like the original on a random half of all samples; seed ${spec.seed.training}`)}
      ${spec.relearn && fact('Relearning', describeOptions(spec.relearn))}
      ${spec.probe && fact('Probes', describeOptions(spec.probe))}
      ${fact('Seeds', [`data ${spec.seed.data}; split ${spec.seed.split}; `, seedsOfModels(input)])}
      ${changedCode !== undefined && fact('Code', `${changedCode}. It differs from experiment/stages/code-lock.json of its checkout.`)}
      ${fact('Software', environments.length === 0 ? 'n/a: no stage finished' : environments.map((environment) => html`<p>${describeEnvironment(environment)}</p>`))}
    </dl>
  </section>`
}

function sourceNotes(
  files: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[],
): readonly Markup[] {
  return files.map(
    ({ name, sha256, bytes }) =>
      html`<p class="note">${name}, ${counted(bytes, 'byte')}, SHA-256 <code>${sha256}</code></p>`,
  )
}

const MOST_CLASSES = 20

function firstOf(classes: readonly string[]): string {
  const more = classes.length - MOST_CLASSES
  return [...classes.slice(0, MOST_CLASSES), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

function fact(term: string, content: Content): Markup {
  return html`<dt>${term}</dt>
    <dd>${content}</dd>`
}

function seedsOfModels({ run: { plan, spec } }: ReportInput): Content {
  const own = seedsOf(plan).map(({ original, gold }, i) => {
    const golds = gold.map(({ params }) => params.seed).join(', ')
    return `original ${original.params.seed}; gold ${golds}; unlearning ${seedsAt(spec, i).unlearning}`
  })
  const several = describeSeeds(spec)
  if (several === undefined) return own
  return [several, own.map((described, i) => html`<p class="note">seed ${i + 1}: ${described}</p>`)]
}

function splitSizes(input: ReportInput): Content {
  const sizes = manifestOf<'split'>(input, input.run.plan.split)?.metrics
  if (!sizes) return undefined
  const { forget, retained, validation, attackTest, test, forgottenTest } = sizes
  const parts = [
    `${grouped(forget)} to forget`,
    `${grouped(retained)} retained`,
    ...(validation > 0 ? [`${grouped(validation)} for validation`] : []),
    `${grouped(attackTest)} test samples that train attacks`,
    `${grouped(test)} that are scored`,
    ...(forgottenTest > 0 ? [`${grouped(forgottenTest)} of forgotten classes, apart`] : []),
  ]
  return html`<p class="note">${parts.join(', ')}</p>`
}

function describeEnvironment({ zeroshift, node, platform, processor, tensorflow }: Environment): string {
  const parts = [`Zeroshift ${zeroshift}`, `Node ${node}`, platform, ...(processor ? [processor] : [])]
  if (tensorflow)
    parts.push(
      `TensorFlow ${tensorflow.version} on the ${tensorflow.gpu ?? tensorflow.device}`,
      counted(tensorflow.threads, 'thread'),
      ...(tensorflow.oneDnn === undefined ? [] : [`oneDNN ${tensorflow.oneDnn ? 'on' : 'off'}`]),
      ...(tensorflow.batchParts === undefined
        ? []
        : [`batches in ${tensorflow.batchParts} parts for lack of memory, with a batch norm each`]),
    )
  return parts.join(', ')
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
