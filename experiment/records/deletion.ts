import { z } from 'zod'

/** The records of a ledger: deletion requests and how each of them was fulfilled. */

const hash = z.string().regex(/^[0-9a-f]{64}$/)
const blob = z.strictObject({ sha256: hash, bytes: z.int().min(0) })

/**
 * The reason why the model of a step is acceptable. `retrained`, `replayed` and `sisa`: by
 * construction no forgotten sample was read. `measured`: figures are within the acceptance rule.
 */
export const claims = ['retrained', 'replayed', 'sisa', 'measured'] as const
export type Claim = (typeof claims)[number]

/** A figure of an acceptance rule, and what was measured. */
const firstEvidence = z.strictObject({
  /** The name of the figure, as in the results of a report. */
  figure: z.string(),
  value: z.number().nullable(),
  /** The 95% interval, if the figure has one. */
  interval: z.tuple([z.number(), z.number()]).optional(),
  /** The same figure of a second gold model, if the rule has one. */
  floor: z.number().optional(),
  /** The largest value that the rule accepts. */
  limit: z.number(),
  accepted: z.boolean(),
  /** The reason why the figure is missing. */
  missing: z.string().optional(),
})
const evidence = firstEvidence.extend({
  /**
   * The same figure of the model in use, from which an approximate method started. If this model
   * meets the rule as well, the rule does not show that anything was forgotten.
   */
  before: z
    .strictObject({
      value: z.number().nullable(),
      interval: z.tuple([z.number(), z.number()]).optional(),
      /** The reason why the figure is missing. */
      missing: z.string().optional(),
    })
    .optional(),
})
export type Evidence = z.output<typeof evidence>

/** One step of the ladder: an experiment with one method. */
const firstAttempt = z.strictObject({
  /** The label of the row in the ladder. */
  label: z.string(),
  method: z.string(),
  /** The id of the run, whose report has all figures. */
  run: z.string(),
  /** The digest of the computed part of the run's report. Absent if the run failed. */
  report: hash.optional(),
  claim: z.enum(claims),
  evidence: z.array(firstEvidence),
  outcome: z.enum(['accepted', 'missed', 'failed']),
  /** The reason of a failure, or of a miss although all figures are within their limits. */
  reason: z.string().optional(),
  /**
   * Samples that were read, and samples that retraining reads. The cost next to that of retraining.
   */
  cost: z.strictObject({ samples: z.int(), retraining: z.int() }).optional(),
})
const attempt = firstAttempt.extend({ evidence: z.array(evidence) })
export type Attempt = z.output<typeof attempt>

/** The code of a stage kind, with the method for the kinds that execute one. */
const bodyOfCode = z.strictObject({
  /** The version in the lock of stage code. */
  version: z.int().min(1),
  /** The digest of all code that the stages reach. */
  digest: hash,
})

/** The first format. It has no figures of the model in use, and the version of the code alone. */
const firstDeletion = z.strictObject({
  format: z.literal(1),
  /** The name of the ledger and the digest of its config with defaults. */
  ledger: z.strictObject({ name: z.string(), digest: hash }),
  /** Requests are numbered from 1. */
  number: z.int().min(1),
  /** The operator's reference of the request, for example a case number. */
  reference: z.string(),
  /** The digest of the record of the request before. Null for the first one. */
  previous: hash.nullable(),
  /**
   * Root of the Merkle tree over the salted ids of the samples of this request, and their number.
   */
  forgotten: z.strictObject({ root: hash, samples: z.int().min(1) }),
  /** The number of samples of this and all earlier fulfilled requests. */
  forgottenBefore: z.int().min(0),
  /** Digests of the lists of remaining training samples before and after. */
  data: z.strictObject({ dataset: hash, before: hash, after: hash }),
  /** The blob of the model from which the methods started, and of the model afterwards. */
  model: z.strictObject({ before: blob, after: blob }),
  code: z.string(),
  device: z.strictObject({ name: z.string(), threads: z.int() }),
  attempts: z.array(firstAttempt),
  state: z.enum(['fulfilled', 'refused']),
  /** The claim of the accepted attempt. Absent if the request was refused. */
  claim: z.enum(claims).optional(),
  /** The reason of a refusal. */
  reason: z.string().optional(),
  /** Judges that no attempt was tested by, in words. */
  notTested: z.array(z.string()),
})

const secondDeletion = firstDeletion.extend({
  format: z.literal(2),
  /**
   * The numbers of the first and the last request that were settled together with this one. Their
   * records have the same models, data, attempts and state, and each has its own samples. Absent if
   * the request was settled alone.
   */
  batch: z.strictObject({ first: z.int().min(1), last: z.int().min(2) }).optional(),
  /** The version of Zeroshift, and the code of the stages of the last attempt by its name. */
  code: z.strictObject({ version: z.string(), stages: z.record(z.string(), bodyOfCode) }),
  attempts: z.array(attempt),
})
/** A record as it is written today. */
export type NewDeletion = z.output<typeof secondDeletion>
export type Batch = NonNullable<NewDeletion['batch']>

/** The record of a request, without times and signatures. Equal requests have equal bytes. */
export const deletionSchema = z.discriminatedUnion('format', [firstDeletion, secondDeletion])
export type Deletion = z.output<typeof deletionSchema>

/** The requests that were settled together with that of a record, if there were several. */
export function batchOf(record: Deletion): Batch | undefined {
  return 'batch' in record ? record.batch : undefined
}

/** The models that a record of any format names. */
export const modelsSchema = z.object({ model: firstDeletion.shape.model })

/**
 * Times and the requested names, which are stored beside the record and are no part of its digest.
 */
export const deletionNotesSchema = z.strictObject({
  received: z.iso.datetime(),
  finished: z.iso.datetime(),
  /** The salt of the Merkle leaves and the ids of the samples. They stay with the operator. */
  salt: z.string().regex(/^[0-9a-f]{64}$/),
  samples: z.array(z.strictObject({ id: z.string(), index: z.int().min(0) })),
})
export type DeletionNotes = z.output<typeof deletionNotesSchema>
