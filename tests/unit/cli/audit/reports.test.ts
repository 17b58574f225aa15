import { digestOf } from '../../../../common/canonical.ts'
import { formatPath, valueAt, type Path } from '../../../../common/path.ts'
import { renderJson } from '../../../../report/json.ts'
import { judge } from '../../../../report/judgement/judge.ts'
import { results } from '../../../../report/results.ts'
import { audit, type Attempt, type Attempts } from '../../../support/audit.ts'
import { placed } from '../../../support/schema-walk.ts'
import { sampleInput } from '../../report/fixtures.ts'

/** Reports of runs that were changed, by mistake or by somebody who can compute digests. */

const input = sampleInput()
const report = JSON.parse(renderJson(input, results(input), judge(input)).json) as Readonly<
  Record<string, unknown>
>

const verify = (json: string | Uint8Array, says: RegExp): Attempt => ({
  args: ['verify', 'report.json'],
  says,
  files: { 'report.json': json },
})

/** Paths of all that is in a value down to a depth, of lists the first entry alone. */
function pathsIn(value: unknown, depth: number, path: Path = []): readonly Path[] {
  if (depth === 0 || typeof value !== 'object' || value === null) return [path]
  const keys: Path = Array.isArray(value) ? (value.length > 0 ? [0] : []) : Object.keys(value)
  return [path, ...keys.flatMap((key) => pathsIn(valueAt(value, [key]), depth - 1, [...path, key]))]
}

const odd: Readonly<Record<string, unknown>> = {
  'that is missing': undefined,
  'that is text': 'zzz\x1b[2J',
  'that is a list': [[]],
}

/** Paths of computed values and of the digest. Each row changes one of them. */
const places = [
  ...pathsIn(report.computed, 2, ['computed']),
  ['digest'],
  ['computed', 'data', 'sources', 0, 'sha256'],
]
const changed: Attempts = Object.fromEntries(
  places.flatMap((path) =>
    Object.entries(odd).map(([title, value]) => [
      `${formatPath(path)} ${title}`,
      verify(
        JSON.stringify(placed(report, path, value)),
        /^report\.json: this (is not the report of a run: \S.*|report was changed after it was written: it gives the digest \S.*)$/m,
      ),
    ]),
  ),
)
audit('a report with', changed)

/** A changed report whose digest was computed again, as a forger would do. */
const forged = (path: Path, value: unknown) => {
  const copy = placed(report, path, value) as Readonly<Record<string, unknown>>
  return JSON.stringify({ ...copy, digest: digestOf(copy.computed) })
}
const spec: Path = ['computed', 'spec']
const fields = [
  ...pathsIn(valueAt(report, spec), 2, spec).slice(1),
  ['computed', 'data', 'name'],
  ['computed', 'data', 'train'],
]
audit(
  'a report with a digest that fits and with',
  Object.fromEntries(
    fields.map((path) => [
      formatPath(path),
      verify(
        forged(path, [{ zzz: '\x1b[2J' }]),
        /^report\.json: this (is not the report of a run|report was made by another version of Zeroshift): \S/m,
      ),
    ]),
  ),
)

const stages = (report.computed as { readonly stages: readonly object[] }).stages
audit('a report', {
  'that is empty': verify('', /^report\.json: this is no whole JSON; expected a report\.json$/m),
  'that is cut off': verify(JSON.stringify(report).slice(0, -100), /^report\.json: this is no whole JSON/m),
  'that is an image': verify(
    new Uint8Array([137, 80, 78, 71, 0, 255]),
    /^report\.json: this is no whole JSON/m,
  ),
  'that is nested without end': verify('['.repeat(1e6), /^report\.json: this is no whole JSON/m),
  'that is a number': verify('5', /^report\.json: this is not the report of a run: \S/m),
  'that is a list': verify('[]', /^report\.json: this is not the report of a run: \S/m),
  'that is nothing': verify('null', /^report\.json: this is not the report of a run: \S/m),
  'of a prototype': verify(
    '{"__proto__": {"computed": {}}}',
    /^report\.json: this is not the report of a run: \S/m,
  ),
  'with stages swapped, which the digest shows': verify(
    JSON.stringify(placed(report, ['computed', 'stages'], stages.toReversed())),
    /^report\.json: this report was changed after it was written/m,
  ),
  'with a stage too many': verify(
    forged(['computed', 'stages'], [...stages, { kind: 'x', key: 'x', title: 'a\x1b[2J' }]),
    /it has the stage "a\\x1b\[2J", and the same spec none here/,
  ),
  'with a stage too few': verify(forged(['computed', 'stages'], stages.slice(1)), /it has no stage "/),
  'with a key that leads out': verify(
    forged(['computed', 'stages', 0, 'key'], '../../etc'),
    /report was made by another version of Zeroshift/,
  ),
  'with blobs that are none': verify(
    JSON.stringify({ ...report, blobs: { a: { b: { sha256: 5 } } } }),
    /^report\.json: this is not the report of a run: blobs\S* /m,
  ),
  'with environments that are none': verify(
    JSON.stringify({ ...report, clock: { environments: [5] } }),
    /^report\.json: this is not the report of a run: clock\.environments\[0\]: expected a mapping/m,
  ),
  'without what the clock decides': verify(
    JSON.stringify({ ...report, clock: undefined }),
    /^report\.json: this is not the report of a run: clock is missing: expected/m,
  ),
  'of a comparison, without --run': verify(
    JSON.stringify({ computed: { runs: [{ id: 'a\x1b[2J' }] }, clock: { runs: [{ id: 'a\x1b[2J' }] } }),
    /^report\.json: this report compares runs, .* It has a\\x1b\[2J$/m,
  ),
  'of a comparison that leads elsewhere': {
    ...verify(
      JSON.stringify({
        computed: { runs: [{ id: 'a' }] },
        clock: { runs: [{ id: 'a', report: 'https://u:pa55@h/' }] },
      }),
      /^report\.json: the report of a is at https:\/\/…@h\/report\.json; fetch/m,
    ),
    args: ['verify', 'report.json', '--run', 'a'],
    hides: /pa55/,
  },
  'of a comparison that leads to what is no report': {
    ...verify(
      JSON.stringify({
        computed: { runs: [{ id: 'a' }] },
        clock: { runs: [{ id: 'a', report: 'file:///dev/zero' }] },
      }),
      /report\.json: /m,
    ),
    args: ['verify', 'report.json', '--run', 'a'],
  },
  'of a comparison with a link that is none': {
    ...verify(
      JSON.stringify({
        computed: { runs: [{ id: 'a' }] },
        clock: { runs: [{ id: 'a', report: 'http://[' }] },
      }),
      /^report\.json: /m,
    ),
    args: ['verify', 'report.json', '--run', 'a'],
  },
  'of a comparison on another machine': {
    ...verify(
      JSON.stringify({
        computed: { runs: [{ id: 'a' }] },
        clock: { runs: [{ id: 'a', report: 'file://host/a/' }] },
      }),
      /^report\.json: /m,
    ),
    args: ['verify', 'report.json', '--run', 'a'],
  },
})
