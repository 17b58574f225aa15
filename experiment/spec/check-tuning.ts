import { parsePath } from '../../common/path.ts'
import type { Layer } from '../models/layers.ts'
import { checkMethod } from './check-methods.ts'
import { findingsOf } from './config-issues.ts'
import type { DatasetFacts } from './dataset.ts'
import { isApproximate, methodSchema, type ApproximateMethodSpec } from './methods.ts'
import { within, type Report } from './problems.ts'
import { extremes, rangeProblems, type RangeSpec } from './range.ts'
import { classIndices, forgetCount, setSizes } from './sets.ts'
import type { Spec } from './spec.ts'
import { tuningOf, variantsOf, withValues } from './variants.ts'

/**
 * Checks the tuning: that its rule and its splits have the samples that they need, and that the
 * method takes every value of the search spaces.
 */
export function checkTuning(spec: Spec, facts: DatasetFacts, layers: readonly Layer[], report: Report): void {
  spec.methods.forEach((row, i) => {
    if (isApproximate(row)) checkRow(row, spec, facts, layers, within(['methods', i], report))
  })
  const tuned = spec.methods.findIndex((row) => tuningOf(row, spec) !== undefined)
  if (tuned >= 0) checkSamples(spec, facts, within(spec.tune ? ['tune'] : ['methods', tuned, 'tune'], report))
}

/** Checks the validation samples and the splits of the tuning. */
function checkSamples({ data, split }: Spec, facts: DatasetFacts, report: Report): void {
  const sizes = setSizes(data, facts)
  if (sizes.validation === 0)
    report(
      [],
      `tuning needs samples that no model trains on, and data.validation (${data.validation}) sets none apart; give it a share such as 0.1, or leave tune out`,
    )
  if (split.kind === 'class') {
    const present = facts.train.filter((count) => count > 0).length
    if (present < 3)
      report(
        [],
        `tuning forgets another class than the comparison and retains a third one, and ${facts.name} has samples of ${present}; leave tune out`,
      )
    return
  }
  const available =
    split.kind === 'class-fraction'
      ? classIndices(split, facts, () => undefined).reduce((sum, i) => sum + (facts.train[i] ?? 0), 0)
      : sizes.train
  const forgotten =
    split.kind === 'indices' || split.kind === 'names'
      ? (split.indices?.length ?? 0)
      : forgetCount(split, available)
  if (2 * forgotten > available)
    report(
      [],
      `tuning forgets as many samples as the comparison and none of the same, and the comparison forgets ${forgotten} of ${available}; forget at most half of them, or leave tune out`,
    )
}

/** Checks the space of one row. Paths are relative to the row. */
function checkRow(
  row: ApproximateMethodSpec,
  spec: Spec,
  facts: DatasetFacts,
  layers: readonly Layer[],
  report: Report,
): void {
  const tuning = tuningOf(row, spec)
  if (!tuning) return
  const entries = Object.entries(tuning.space)
  const isOwn = row.tune !== undefined && row.tune !== false && row.tune.space !== undefined
  let sound = true
  const wrong: Report = (path, message) => {
    sound = false
    report(isOwn ? ['tune', 'space', ...path] : [], message)
  }
  if (entries.length === 0)
    wrong([], 'the search space is empty; name at least one option of the method, or set tune: false')
  for (const [path, range] of entries)
    for (const message of pathProblems(row, spec, path, range)) wrong([path], message)
  if (!sound) return
  const refused = variantsOf(row, spec).map((variant) => refusalOf(variant, spec, facts, layers))
  // The options of the row as written are checked without the tuning.
  const first = refused.findIndex((refusal) => refusal !== undefined)
  if (first > 0)
    wrong(
      [],
      `variant ${first} of ${row.label ?? row.method} cannot be computed: ${refused[first] ?? ''}. Give the method another space in tune.space`,
    )
}

/** The first reason why the data or the model do not allow a variant. Undefined if they do. */
function refusalOf(
  variant: ApproximateMethodSpec,
  spec: Spec,
  facts: DatasetFacts,
  layers: readonly Layer[],
): string | undefined {
  const reasons: string[] = []
  checkMethod(variant, spec, facts, layers, (_, message) => {
    reasons.push(message)
  })
  return reasons[0]
}

/** What is wrong with the range of one option. The extreme values stand for all between them. */
function pathProblems(
  row: ApproximateMethodSpec,
  spec: Spec,
  path: string,
  range: RangeSpec,
): readonly string[] {
  const [first] = parsePath(path) ?? []
  if (first === undefined || ['method', 'label', 'tune'].includes(String(first)))
    return [
      `"${path}" is no path of an option that can be tuned; expected one such as epochs or optimizer.learningRate`,
    ]
  const own = rangeProblems(path, range)
  if (own.length > 0) return own
  const found = extremes(range).flatMap((value) =>
    findingsOf(methodSchema, withValues(row, spec, [[path, value]])),
  )
  return [...new Set(found.map(({ message }) => message))]
}
