import { z } from 'zod'
import { canonicalJson, sha256 } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { parseJson } from '../common/json.ts'
import { formatPath } from '../common/path.ts'
import { chainFlaws, deletionFlaws } from '../experiment/records/deletion-flaws.ts'
import { deletionSchema, type Deletion } from '../experiment/records/deletion.ts'
import { deletionClaims } from './deletion.ts'
import { envelopeText, readEnvelope } from './envelope.ts'
import type { PublicKey } from './keys.ts'
import { inclusionProofSchema, isIncluded, type InclusionProof } from './merkle.ts'
import { verifyFolder, type FileDigests, type SignedFolder } from './model-signature.ts'
import { recomputationIn, type SignedRecomputation } from './recomputed.ts'
import { PAYLOAD_TYPE, verifyEnvelope } from './statement.ts'

/**
 * The certificate of a deletion request: a folder that proves, without a store or a network, what
 * an operator has recorded.
 *
 *     README.md, index.html         explanations for people
 *     record.json                   the record as canonical JSON
 *     record.intoto.jsonl           the signed statement about the record
 *     chain/000001.json …           the records of all earlier requests of the ledger
 *     model/model.safetensors       the model after the request
 *     model/config.json             its layers and classes, if the store has the run that made it
 *     model/model.sig               the signature of the model's folder, in the format OMS
 *     certificate.sig               the signature of all of the above, in the same format
 *     recomputed.intoto.jsonl       attestations of those who computed the model again, if any
 *     private/proofs/000001.json …  one proof for each subject; they are not for publication
 *     private/run/                  the report of the accepted attempt, the model from which it
 *                                   started, the number of proofs, and their signature. The report
 *                                   names the samples.
 */
export const certificatePaths = {
  readme: 'README.md',
  page: 'index.html',
  record: 'record.json',
  envelope: 'record.intoto.jsonl',
  model: 'model/model.safetensors',
  modelConfig: 'model/config.json',
  modelSignature: 'model/model.sig',
  signature: 'certificate.sig',
  recomputed: 'recomputed.intoto.jsonl',
  private: 'private',
  run: 'private/run',
  report: 'private/run/report.json',
  proofCount: 'private/run/proofs.json',
  runSignature: 'private/run/run.sig',
} as const

const numbered = (number: number) => `${String(number).padStart(6, '0')}.json`
export const chainPath = (number: number) => `chain/${numbered(number)}`
/** Proofs are named by the places of their leaves, which tell nothing of the ids. */
export const proofPath = (leaf: number) => `private/proofs/${numbered(leaf + 1)}`

export const modelFolder: SignedFolder = { name: 'model', ignored: ['model.sig'] }
export const runFolder: SignedFolder = { name: 'run', ignored: ['run.sig'] }
/**
 * An auditor may add a signature to the envelope, and attestations. The files in `private` are not
 * published.
 */
export const certificateFolder: SignedFolder = {
  name: 'certificate',
  ignored: [
    certificatePaths.envelope,
    certificatePaths.recomputed,
    certificatePaths.private,
    certificatePaths.signature,
  ],
}

/** Returns the digests of the files that the signature of the model's folder covers. */
export function modelFiles(digests: FileDigests): FileDigests {
  return filesIn('model/', modelFolder, digests)
}

/** Returns the digests of the files that the signature of the private run covers. */
export function runFiles(digests: FileDigests): FileDigests {
  return filesIn(`${certificatePaths.run}/`, runFolder, digests)
}

function filesIn(prefix: string, { ignored }: SignedFolder, digests: FileDigests): FileDigests {
  return Object.fromEntries(
    Object.entries(digests).flatMap(([path, digest]) => {
      const name = path.slice(prefix.length)
      return path.startsWith(prefix) && !ignored.includes(name) ? [[name, digest]] : []
    }),
  )
}

/** Returns the digests of the files that the signature of the certificate covers. */
export function certificateFiles(digests: FileDigests): FileDigests {
  const isIgnored = (path: string) =>
    certificateFolder.ignored.some((ignored) => path === ignored || path.startsWith(`${ignored}/`))
  return Object.fromEntries(Object.entries(digests).filter(([path]) => !isIgnored(path)))
}

/** The files of a certificate, as they were found. */
export interface FoundCertificate {
  /** The SHA-256 of every file. */
  readonly digests: FileDigests
  /** The contents of the JSON files and of the signatures. */
  readonly texts: Readonly<Record<string, string>>
}

/** A fault of a certificate, with the path of the file. */
export interface CertificateFault {
  readonly path: string
  readonly message: string
}

export interface CheckedCertificate {
  /** Empty if the certificate holds. */
  readonly faults: readonly CertificateFault[]
  /** The record, if it could be read. */
  readonly record?: Deletion
  /** The keys whose signatures of the record are valid. */
  readonly signers: readonly { readonly keyid: string; readonly named: boolean }[]
  /** The number of valid proofs. Null if the folder has no private part. */
  readonly proofs: number | null
  /** The valid attestations of those who computed the model again. */
  readonly recomputations: readonly SignedRecomputation[]
}

/**
 * Checks a certificate: schema, canonical bytes and contradictions of the record, the chain of
 * earlier records, signatures, the digest of the model, proofs, and that no file is missing or was
 * added. If keys are named, one of them must have signed the record and the files. Pure.
 */
export function checkCertificate(found: FoundCertificate, named: readonly PublicKey[]): CheckedCertificate {
  const own = recordIn(found, certificatePaths.record)
  if ('fault' in own) {
    const files = fileFaults(found, named.length > 0 ? named : envelopeKeys(found))
    return { faults: unique([own.fault, ...files]), signers: [], proofs: null, recomputations: [] }
  }
  const { record } = own
  const { signers, faults, keys } = signatureFaults(found, record, named)
  const proofs = proofFaults(found, record)
  const recomputed = recomputedIn(found, record, named)
  return {
    record,
    signers,
    proofs: proofs?.valid ?? null,
    recomputations: recomputed.flatMap((one) => ('flaw' in one ? [] : one)),
    faults: unique([
      ...contradictions(found, record),
      ...missingFiles(found),
      ...faults,
      ...modelFaults(found, record),
      ...fileFaults(found, keys),
      ...(proofs?.faults ?? []),
      ...recomputed.flatMap((one) =>
        'flaw' in one ? [{ path: certificatePaths.recomputed, message: one.flaw }] : [],
      ),
    ]),
  }
}

/** Returns one fault for each message about a file, since several checks may find the same. */
function unique(faults: readonly CertificateFault[]): readonly CertificateFault[] {
  return [...new Map(faults.map((fault) => [`${fault.path}: ${fault.message}`, fault])).values()]
}

const MISSING = 'this file is missing'

/** Reads a record whose file must have the bytes of its canonical JSON. */
function recordIn(
  { digests, texts }: FoundCertificate,
  path: string,
): { readonly record: Deletion } | { readonly fault: CertificateFault } {
  const text = texts[path]
  if (text === undefined) return { fault: { path, message: MISSING } }
  const { data, error } = deletionSchema.safeParse(parseJson(text))
  if (!data) {
    const [issue] = error.issues
    const place = formatPath(
      (issue?.path ?? []).map((part) => (typeof part === 'number' ? part : String(part))),
    )
    return {
      fault: {
        path,
        message: `this is no record of a deletion request: ${place === '' ? '' : `${place}: `}${issue?.message ?? ''}`,
      },
    }
  }
  if (sha256(canonicalJson(data)) !== digests[path])
    return { fault: { path, message: 'its bytes are not the canonical JSON of the record in it' } }
  return { record: data }
}

/** Checks the record and all earlier ones, each with those before it. */
function contradictions(found: FoundCertificate, record: Deletion): readonly CertificateFault[] {
  const faults: CertificateFault[] = []
  const earlier: Deletion[] = []
  const add = (path: string, one: Deletion) => {
    const flaws = [...deletionFlaws(one), ...chainFlaws(one, earlier)]
    faults.push(...flaws.map((flaw) => ({ path, message: `${flaw.path}: ${flaw.message}` })))
    earlier.push(one)
  }
  for (let number = 1; number < record.number; number++) {
    const path = chainPath(number)
    const read = recordIn(found, path)
    // The records after one that cannot be read are not compared with it.
    if ('fault' in read) return [...faults, read.fault]
    add(path, read.record)
  }
  add(certificatePaths.record, record)
  return faults
}

/** Missing records of earlier requests are found with the chain. */
function missingFiles({ digests }: FoundCertificate): readonly CertificateFault[] {
  const { readme, page, record, envelope, model, modelSignature, signature } = certificatePaths
  return [readme, page, record, envelope, model, modelSignature, signature].flatMap((path) =>
    digests[path] === undefined ? [{ path, message: MISSING }] : [],
  )
}

/**
 * Checks the signatures of the record. Also returns the keys that may have signed the files: those
 * that are named, or else all that have signed the record.
 */
function signatureFaults(found: FoundCertificate, record: Deletion, named: readonly PublicKey[]) {
  const path = certificatePaths.envelope
  const text = found.texts[path]
  const fault = (message: string) => ({ path, message })
  const invalid = (message: string) => ({
    ...{ signers: [], keys: named.length > 0 ? named : envelopeKeys(found) },
    faults: [fault(message)],
  })
  if (text === undefined) return invalid(MISSING)
  const verified = verifyEnvelope(text, path, deletionClaims(record), named)
  if ('flaw' in verified) return invalid(verified.flaw)
  const envelope = readEnvelope(text, PAYLOAD_TYPE, path)
  if (envelopeText(envelope) !== text)
    return invalid('its bytes are not those that Zeroshift writes for its content')
  const signers = verified.valid.map((keyid) => ({ keyid, named: named.some(({ id }) => id === keyid) }))
  const others = envelope.signatures.flatMap(({ key }) =>
    key && verified.valid.includes(key.id) ? [key] : [],
  )
  return {
    signers,
    keys: named.length > 0 ? named : others,
    faults: [
      ...verified.invalid.map((keyid) => fault(`the signature by ${keyid} does not verify`)),
      ...verified.unknown.map((keyid) =>
        fault(`the signature by "${keyid}" cannot be checked, because it does not have the public key`),
      ),
      ...(named.length > 0 && !signers.some((one) => one.named)
        ? [
            fault(
              `the record is signed by ${signers.map(({ keyid }) => keyid).join(', ') || 'nobody'}; expected ${named.map(({ id }) => id).join(' or ')}`,
            ),
          ]
        : []),
    ],
  }
}

/** Returns the public keys in an envelope, whether or not their signatures are valid. */
function envelopeKeys({ texts }: FoundCertificate): readonly PublicKey[] {
  const { envelope: path } = certificatePaths
  try {
    const { signatures } = readEnvelope(texts[path] ?? '', PAYLOAD_TYPE, path)
    return signatures.flatMap(({ key }) => key ?? [])
  } catch (error) {
    if (error instanceof UserError) return []
    throw error
  }
}

/** Reads the attestations, one in each line. */
function recomputedIn(
  { digests, texts }: FoundCertificate,
  record: Deletion,
  named: readonly PublicKey[],
): readonly (SignedRecomputation | { readonly flaw: string })[] {
  const { recomputed: path } = certificatePaths
  if (digests[path] === undefined) return []
  const lines = (texts[path] ?? '').split('\n')
  if (lines.pop() !== '' || lines.length === 0) return [{ flaw: 'its last line is not complete' }]
  return lines.map((line) => recomputationIn(line, path, record, named))
}

function modelFaults({ digests }: FoundCertificate, record: Deletion): readonly CertificateFault[] {
  const { model: path } = certificatePaths
  const { sha256: expected } = record.model.after
  const digest = digests[path]
  if (digest === undefined || digest === expected) return []
  return [{ path, message: `its SHA-256 is ${digest}; that of the model in the record is ${expected}` }]
}

/** Checks the signatures of the model's folder and of the whole folder. */
function fileFaults(
  { digests, texts }: FoundCertificate,
  keys: readonly PublicKey[],
): readonly CertificateFault[] {
  const { modelSignature, signature, run, runSignature } = certificatePaths
  const hasRun = Object.keys(digests).some((path) => path.startsWith(`${run}/`))
  const check = (path: string, prefix: string, folder: SignedFolder, files: FileDigests) => {
    const text = texts[path]
    if (text === undefined) return [{ path, message: MISSING }]
    const verified = verifyFolder(text, path, folder, files, keys)
    if (!('flaws' in verified)) return []
    return verified.flaws.map((flaw) => ({
      path: flaw.path === undefined ? path : `${prefix}${flaw.path}`,
      message: flaw.message,
    }))
  }
  return [
    ...check(modelSignature, `${modelFolder.name}/`, modelFolder, modelFiles(digests)),
    ...check(signature, '', certificateFolder, certificateFiles(digests)),
    ...(hasRun ? check(runSignature, `${run}/`, runFolder, runFiles(digests)) : []),
  ]
}

/** At most so many missing proofs are named, since a record may claim any number of samples. */
const MOST_MISSING = 100

/**
 * The number of proofs of a certificate, so that their removal is found. A certificate has none if
 * the store had no notes of the request.
 */
const proofCountSchema = z.strictObject({ proofs: z.int().min(1) })

export function proofCountText(proofs: number): string {
  return canonicalJson(proofCountSchema.parse({ proofs }))
}

/**
 * Checks the proofs, one for each leaf. Returns undefined without proofs, unless the private run
 * says that there are some.
 */
function proofFaults(
  { digests, texts }: FoundCertificate,
  { forgotten }: Deletion,
): { readonly valid: number; readonly faults: readonly CertificateFault[] } | undefined {
  const { private: folder, run } = certificatePaths
  const present = Object.keys(digests).filter(
    (path) => path.startsWith(`${folder}/`) && !path.startsWith(`${run}/`),
  )
  const count = texts[certificatePaths.proofCount]
  if (present.length === 0 && count === undefined) return undefined
  const isOther = count !== undefined && count !== proofCountText(forgotten.samples)
  const checked = present.map((path) => {
    const [text, digest] = [texts[path], digests[path]]
    const leaf = Number(/^private\/proofs\/(\d+)\.json$/.exec(path)?.[1]) - 1
    if (text === undefined || digest === undefined || leaf >= forgotten.samples || path !== proofPath(leaf))
      return { path, message: 'this file was added: it is no proof' }
    const read = subjectOf({ text, digest }, forgotten)
    if ('flaw' in read) return { path, message: read.flaw }
    if (read.proof.leaf === leaf) return undefined
    return { path, message: `it is the proof of leaf ${read.proof.leaf}, expected ${leaf}` }
  })
  const missing: CertificateFault[] = []
  for (let leaf = 0; leaf < forgotten.samples && missing.length < MOST_MISSING; leaf++)
    if (digests[proofPath(leaf)] === undefined) missing.push({ path: proofPath(leaf), message: MISSING })
  return {
    valid: checked.filter((fault) => fault === undefined).length,
    faults: [
      ...checked.flatMap((fault) => fault ?? []),
      ...missing,
      ...(isOther
        ? [
            {
              path: certificatePaths.proofCount,
              message: `it is not the number of the ${forgotten.samples} samples in the record`,
            },
          ]
        : []),
    ],
  }
}

/** Returns the proof that a sample is among the forgotten ones, or why it is none. Pure. */
export function subjectOf(
  { text, digest }: { readonly text: string; readonly digest: string },
  { root, samples }: Deletion['forgotten'],
): { readonly proof: InclusionProof } | { readonly flaw: string } {
  const { data: proof } = inclusionProofSchema.safeParse(parseJson(text))
  if (!proof) return { flaw: 'this is no proof that a sample is among the forgotten ones' }
  if (sha256(canonicalJson(proof)) !== digest)
    return { flaw: 'its bytes are not the canonical JSON of the proof in it' }
  if (proof.leaves !== samples)
    return { flaw: `it is of a tree of ${proof.leaves} samples; the record has ${samples}` }
  return isIncluded(proof, root) ? { proof } : { flaw: 'it does not lead to the root in the record' }
}
