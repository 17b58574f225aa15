import { stagesOf } from '../experiment/stage-list.ts'
import { counted, grouped, percent } from './format.ts'
import { environmentsOf } from './json.ts'
import { html, type Content, type Markup } from './markup.ts'
import { manifestOf, type ReportInput } from './results.ts'

/** What the run forgets, from what model and data, as a line under the title. */
export function forgetWords(input: ReportInput): string {
  const { spec, facts } = input.run
  const model = `a ${spec.model.name} trained on ${facts.name}`
  if (spec.split.kind === 'random') return `Forgetting ${randomShare(spec.split)} samples of ${model}.`
  const names = forgottenClasses(input)
  return `Forgetting ${names.length === 1 ? 'class' : 'classes'} ${listed(names)} of ${model}.`
}

/** What was run: data, split, model, seeds, versions. */
export function factList(input: ReportInput): Markup {
  const { run } = input
  const { spec, facts, plan } = run
  const sizes = manifestOf<'split'>(input, plan.split)?.metrics
  const data = manifestOf<'dataset'>(input, plan.dataset)?.metrics
  const original = manifestOf<'train'>(input, plan.original)?.metrics
  const { name: modelName, ...model } = spec.model
  const { epochs, batchSize, optimizer, schedule, ...training } = spec.training
  const environments = environmentsOf(input)
  const versions = environments.map(
    ({ zeroshift, node, platform }) => `Zeroshift ${zeroshift}, Node ${node}, ${platform}`,
  )
  const devices = environments.flatMap(({ tensorflow }) =>
    tensorflow
      ? [`TensorFlow ${tensorflow.version} on ${tensorflow.device}, ${counted(tensorflow.threads, 'thread')}`]
      : [],
  )

  return html`<dl class="facts">
    ${fact('Data', [
      html`<p>
        ${facts.name}: ${facts.classes.length} classes, ${facts.shape.join(' × ')} (height × width ×
        channels)${data ? `; ${grouped(data.train)} training, ${grouped(data.validation)} validation and ${counted(data.test, 'test sample')}` : ''}
      </p>`,
      facts.sources.map(
        ({ name, sha256, bytes }) =>
          html`<p class="note">${name}, ${counted(bytes, 'byte')}, SHA-256 <code>${sha256}</code></p>`,
      ),
    ])}
    ${fact('Citation', linked(facts.citation))}
    ${fact('Split', [
      html`<p>${splitWords(input)}</p>`,
      sizes &&
        html`<p class="note">
          ${counted(sizes.retained, 'retained sample')} (D_r), ${grouped(sizes.forget)} to forget (D_f),
          ${grouped(sizes.test)} for testing (D_t), ${grouped(sizes.attackTest)} that train the
          attacks${sizes.forgottenTest > 0 ? `, ${counted(sizes.forgottenTest, 'test sample')} of forgotten classes set apart` : ''}
        </p>`,
    ])}
    ${fact('Model', `${modelName}: ${options(model)}${original ? `; ${counted(original.parameters, 'parameter')}` : ''}`)}
    ${fact('Training', `${counted(epochs, 'epoch')}, batches of ${batchSize}; optimizer: ${options(optimizer)}; schedule: ${options(schedule)}; ${options(training)}`)}
    ${fact('Seeds', `data ${spec.seed.data}, split ${spec.seed.split}, training ${spec.seed.training}, unlearning ${spec.seed.unlearning}; gold ${plan.gold.map(({ params }) => params.seed).join(', ')}`)}
    ${fact('Versions', paragraphs(versions))} ${fact('Device', paragraphs(devices))}
    ${fact('Stages', `${counted(stagesOf(plan).length, 'stage')}, ${stagesOf(plan).filter(({ key }) => key in input.manifests).length} of them finished`)}
  </dl>`
}

function fact(name: string, content: Content): Markup {
  return html`<dt>${name}</dt>
    <dd>${content}</dd>`
}

function paragraphs(lines: readonly string[]): Content {
  return lines.length > 0 ? [...new Set(lines)].map((line) => html`<p>${line}</p>`) : 'n/a: no stage says'
}

function splitWords(input: ReportInput): string {
  const { split } = input.run.spec
  if (split.kind === 'random') return `random: ${randomShare(split)} training samples are forgotten`
  const names = forgottenClasses(input)
  return `class: every training sample of ${names.length === 1 ? 'class' : 'classes'} ${listed(names)} is forgotten`
}

function randomShare({
  fraction,
  count,
}: {
  readonly fraction?: number | undefined
  readonly count?: number | undefined
}): string {
  return count === undefined ? `${percent(100 * (fraction ?? 0))}% of the` : `${grouped(count)} of the`
}

function forgottenClasses({ run: { spec, facts } }: ReportInput): readonly string[] {
  if (spec.split.kind !== 'class') return []
  return spec.split.classes.map(
    (wanted) => `“${typeof wanted === 'number' ? (facts.classes[wanted] ?? wanted) : wanted}”`,
  )
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

/** `adam (beta1 0.9, learningRate 0.002)`: options in the order of their names, whatever order they came in. */
function options(value: unknown): string {
  if (Array.isArray(value)) return value.map(options).join('–')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value !== 'object' || value === null) return String(value)
  const { name, ...rest } = value as Readonly<Record<string, unknown>>
  const parts = Object.keys(rest)
    .sort()
    .filter((key) => rest[key] !== undefined)
    .map((key) => `${key} ${options(rest[key])}`)
  const list = parts.join(', ')
  return typeof name === 'string' ? (list ? `${name} (${list})` : name) : list
}

/** Text whose web addresses are links. */
function linked(text: string): Content {
  return text
    .split(/(https?:\/\/[^\s()<>"']+)/)
    .map((part, i) => (i % 2 === 1 ? html`<a href="${part}">${part}</a>` : part))
}
