import { manifestDigest, type Manifest, type ManifestOf } from '../../experiment/records/manifest.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { footnotes } from '../footnotes.ts'
import { counted, duration, grouped, short, significant } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import { isOverlapped, OVERLAPPED, signs } from '../marks.ts'
import { manifestOf, whyMissing, type ReportInput } from '../results.ts'
import { figureOr, footnoteList } from './missing.ts'

/** Every stage with its key, the digest of what it left and its seconds. */
export function stagesSection(input: ReportInput): Markup {
  const stages = stagesOf(input.run.plan)
  const missing = { name: 'stages', notes: footnotes() }
  const overlapped = stages.some(({ key }) => {
    const clock = input.manifests[key]?.clock
    return clock && isOverlapped(clock)
  })
  const total = stages.reduce((sum, { key }) => sum + (input.manifests[key]?.clock.seconds ?? 0), 0)
  return html`<section>
    <h2>Stages</h2>
    <p>
      A stage's key is the digest of what it is to compute, and its result the digest of what it left. Seconds
      are those of the work itself, whenever it was done: a result that was in the store already is not
      computed again.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Stages">
      <table class="stages">
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th scope="col" class="text">Work</th>
            <th scope="col" class="text">Key</th>
            <th scope="col" class="text">Result</th>
            <th scope="col">Seconds</th>
          </tr>
        </thead>
        <tbody>
          ${stages.map((stage) => {
            const { key, title } = stage
            const manifest = input.manifests[key]
            return html`<tr>
              <th scope="row">${title}</th>
              <td class="text">${manifest && work(manifest, input)}</td>
              <td class="text"><code title="${key}">${short(key)}</code></td>
              ${
                manifest
                  ? html`<td class="text"><code>${short(manifestDigest(manifest))}</code></td>
                      <td>
                        ${significant(manifest.clock.seconds)}${isOverlapped(manifest.clock) && ` ${signs.timesOverlapped}`}
                      </td>`
                  : html`<td class="text">
                        ${figureOr(missing, { missing: whyMissing(input, [stage]) }, significant)}
                      </td>
                      <td></td>`
              }
            </tr> `
          })}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">All</th>
            <td colspan="4">${duration(total)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
    ${overlapped && html`<p class="note">${signs.timesOverlapped} ${OVERLAPPED}</p>`} ${footnoteList(missing)}
  </section>`
}

/**
 * `5,760 samples seen, `: every batch is full, so that steps tell them exactly. Empty where nothing
 * was trained.
 */
function seen(steps: number, batch: number | undefined): string {
  return steps === 0 || batch === undefined ? '' : `${counted(steps * batch, 'sample')} seen, `
}

/** Samples in a batch of training: a set that is smaller makes one batch. */
function batchOf({ params }: ManifestOf<'train'>, input: ReportInput): number | undefined {
  const { dataset, split } = input.run.plan
  const size =
    params.on === 'retained'
      ? manifestOf<'split'>(input, split)?.metrics.retained
      : manifestOf<'dataset'>(input, dataset)?.metrics.train
  return size === undefined ? undefined : Math.min(params.training.batchSize, size)
}

function work(manifest: Manifest, input: ReportInput): string {
  switch (manifest.kind) {
    case 'train': {
      const { steps, parameters } = manifest.metrics
      return `${counted(steps, 'step')}, ${seen(steps, batchOf(manifest, input))}${counted(parameters, 'parameter')}`
    }
    case 'unlearn': {
      const { steps, trainable, samplesUsed } = manifest.metrics
      return `${counted(steps, 'step')}, ${counted(trainable, 'trainable parameter')}, ${counted(samplesUsed.forget + samplesUsed.retained, 'sample')}`
    }
    case 'dataset':
      return counted(manifest.metrics.train + manifest.metrics.validation + manifest.metrics.test, 'sample')
    case 'checkpoint':
      return counted(manifest.metrics.parameters, 'parameter')
    case 'attack':
      return `${counted(manifest.metrics.members, 'member')}, ${counted(manifest.metrics.nonMembers, 'non-member')}`
    case 'population':
      return `${manifest.metrics.models} models of each kind`
    case 'shadow': {
      const { steps, parameters, members, samples } = manifest.metrics
      return `${counted(steps, 'step')}, ${counted(parameters, 'parameter')}, ${grouped(members)} of ${counted(samples, 'sample')}`
    }
    case 'pool':
      return `${counted(manifest.metrics.models, 'model')}, ${counted(manifest.metrics.samples, 'sample')}`
    case 'membership': {
      const { forget, retained } = manifest.metrics.sets
      return `${counted(forget.members + retained.members, 'member')}, ${counted(forget.nonMembers + retained.nonMembers, 'non-member')}`
    }
    case 'relearn':
      return `${counted(manifest.metrics.curve.at(-1)?.step ?? 0, 'step')}, ${counted(manifest.metrics.samples, 'sample')}`
    case 'probe':
      return `${counted(manifest.metrics.layers.length, 'layer')}, ${counted(manifest.metrics.trained + manifest.metrics.tested, 'sample')}`
    case 'split':
    case 'evaluate':
    case 'compare':
      return ''
  }
}
