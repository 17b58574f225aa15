import { z } from 'zod'
import { digestOf } from '../common/canonical.ts'
import { codeNameOf, type ChangedCode } from '../experiment/stages/code.ts'
import { findingsOf } from '../experiment/spec/config-issues.ts'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import { UserError } from '../common/errors.ts'
import type { BlobRef } from '../experiment/records/manifest.ts'
import { plan } from '../experiment/plan/plan.ts'
import type { Plan } from '../experiment/plan/types.ts'
import { specSchema, type Spec } from '../experiment/spec/spec.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import type { Stage } from '../experiment/stages/stage.ts'
import { short } from './format.ts'

/** Reads a run's `report.json` (report/json.ts), which anybody may have written or changed. */

const figure = z.union([z.looseObject({ value: z.number() }), z.object({ missing: z.string() })])

const publishedSchema = z.object({
  computed: z.looseObject({
    spec: z.unknown(),
    data: z.looseObject({}),
    stages: z.array(
      z.object({
        kind: z.string(),
        key: z.string(),
        title: z.string(),
        /** The digest of the code, where it was not the locked one. */
        code: z.string().optional(),
        digest: z.string().optional(),
        missing: z.string().optional(),
      }),
    ),
    results: z.array(z.object({ label: z.string(), metrics: z.record(z.string(), figure) })),
    floor: figure,
  }),
  digest: z.string(),
  /** Blobs by stage key. Reports of 0.1 list none. */
  blobs: z
    .record(z.string(), z.record(z.string(), z.object({ sha256: z.string(), bytes: z.number() })))
    .optional(),
  clock: z.object({
    environments: z.array(
      z.object({
        zeroshift: z.string().optional(),
        node: z.string().optional(),
        platform: z.string().optional(),
        processor: z.string().optional(),
        tensorflow: z
          .object({
            version: z.string(),
            device: z.string(),
            gpu: z.string().optional(),
            threads: z.number(),
            oneDnn: z.boolean().optional(),
            batchParts: z.number().optional(),
          })
          .optional(),
      }),
    ),
  }),
})

/** The parts of a run's report that a verification reads. Unknown keys stay in `computed`. */
export type Published = z.output<typeof publishedSchema>
export type PublishedEnvironment = Published['clock']['environments'][number]
export type PublishedBlobs = Readonly<Record<string, BlobRef>>

/** The contents of a report that are needed to run it again. */
export interface PublishedRun {
  readonly published: Published
  readonly spec: Spec
  readonly facts: DatasetFacts
  readonly plan: Plan
}

/** Parses a report and checks its digest. `where` names the report in a UserError. */
export function readPublished(text: string, where: string): Published {
  const value = parsed(text, where)
  const { data } = publishedSchema.safeParse(value)
  if (!data)
    throw new UserError([
      { file: where, message: `this is not the report of a run: ${reasons(publishedSchema, value)}` },
    ])
  // The digest is of the value as written, since the schema may leave out unknown keys.
  const digest = digestOf((value as { readonly computed: unknown }).computed)
  if (digest !== data.digest)
    throw new UserError([
      {
        file: where,
        message:
          `this report was changed after it was written: it gives the digest ${data.digest}, and what it says was ` +
          `computed has ${digest}. Take an unchanged copy of it.`,
      },
    ])
  return data
}

/**
 * Plans the run of a report again, from its spec and with the code of this checkout. Throws a
 * UserError if this version of Zeroshift would compute other stages.
 */
export function plannedAgain(published: Published, where: string, changed: ChangedCode = {}): PublishedRun {
  const { data: spec } = specSchema.safeParse(published.computed.spec)
  if (!spec)
    throw otherVersion(
      published,
      where,
      `its spec is not one here: ${reasons(specSchema, published.computed.spec)}`,
    )
  const facts = published.computed.data as unknown as DatasetFacts
  const planned = plan(spec, facts, changed)
  const stages = stagesOf(planned)
  const [here, there] = [stages, published.computed.stages].map((list) => new Set(list.map(({ key }) => key)))
  // Inputs come first, so that the first stage that differs is the cause of later differences.
  const other = stages.find(({ key }) => !there?.has(key))
  if (other) throw otherVersion(published, where, difference(published, other))
  const gone = published.computed.stages.find(({ key }) => !here?.has(key))
  if (gone)
    throw otherVersion(published, where, `it has the stage "${gone.title}", and the same spec none here`)
  return { published, spec, facts, plan: planned }
}

/** Parses the JSON of a report. Throws a UserError. */
export function parsed(text: string, where: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UserError([{ file: where, message: 'this is no whole JSON; expected a report.json' }])
  }
}

function difference({ computed }: Published, stage: Stage): string {
  const { kind, key, title, version, code } = stage
  const there = computed.stages.find((one) => one.kind === kind && one.title === title)
  const here = `of version ${version} of "${codeNameOf(stage)}" stages${changedCode(code)}`
  return there
    ? `its stage "${title}" has the key ${short(there.key)}${changedCode(there.code)}, and here, ${here}, ${short(key)}`
    : `it has no stage "${title}", which the same spec has here (${here})`
}

function changedCode(code: string | undefined): string {
  return code === undefined ? '' : ` (of changed code, digest ${short(code)})`
}

function otherVersion({ clock }: Published, where: string, why: string): UserError {
  const versions = new Set(clock.environments.flatMap(({ zeroshift }) => zeroshift ?? []))
  const which = versions.size > 0 ? `, ${[...versions].join(' or ')}` : ''
  const message = `this report was made by another version of Zeroshift: ${why}. Verify it with the version that made it${which}.`
  return new UserError([{ file: where, message }])
}

/** The first three differences of a value from a schema. */
function reasons(schema: z.ZodType, value: unknown): string {
  return findingsOf(schema, value)
    .slice(0, 3)
    .map(({ message }) => message)
    .join('; ')
}
