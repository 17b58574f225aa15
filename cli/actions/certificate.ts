import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { MissingBlobError } from '../../artifacts/blobs/blob-errors.ts'
import { readDeletion, type StoredDeletion } from '../../artifacts/stored-ledgers.ts'
import { canonicalJson, sha256 } from '../../common/canonical.ts'
import { counted } from '../../common/counted.ts'
import { UserError } from '../../common/errors.ts'
import { jsonBytes } from '../../common/json.ts'
import { filesOf } from '../../experiment/spec/given.ts'
import { layersOf } from '../../experiment/models/model.ts'
import { chainFlaws, deletionFlaws } from '../../experiment/records/deletion-flaws.ts'
import type { Deletion } from '../../experiment/records/deletion.ts'
import { deletionDocument, deletionReadme } from '../../report/deletion-page.ts'
import { renderHtml } from '../../report/render/html.ts'
import { renderMarkdown } from '../../report/render/markdown.ts'
import {
  certificateFiles,
  certificateFolder,
  certificatePaths,
  chainPath,
  modelFiles,
  modelFolder,
  proofCountText,
  proofPath,
  runFiles,
  runFolder,
} from '../../signatures/certificate.ts'
import { deletionClaims } from '../../signatures/deletion.ts'
import type { Signer } from '../../signatures/keys.ts'
import { merkleTree, type InclusionProof } from '../../signatures/merkle.ts'
import { signedFolder } from '../../signatures/model-signature.ts'
import { signedStatement } from '../../signatures/statement.ts'
import { namedLedger } from '../launch/named-ledger.ts'
import { wholeNumber } from '../options/whole-number.ts'
import { print, printJson } from '../output/print.ts'
import { newFolder } from '../workspace/new-folder.ts'
import { signerOf, type SignerOptions } from '../workspace/signer.ts'

interface CertificateOptions extends SignerOptions {
  readonly out: string
  readonly json?: true
  readonly store?: string
}

const OWNER_ONLY = 0o700

/**
 * `zeroshift certificate LEDGER N`: writes the certificate of a deletion request, which anybody can
 * verify without the store (signatures/certificate.ts).
 */
export async function certificate(
  word: string,
  numeral: string,
  { out, json, store, ...options }: CertificateOptions,
): Promise<number> {
  const number = wholeNumber('the number of the request', numeral)
  const signer = await signerOf(options)
  const { artifacts, record } = await namedLedger(word, store)
  const { name: ledger } = record
  const stored = await readDeletion(artifacts, ledger, number)
  const proofs = proofsOf(stored)
  refuseContradictions(stored)
  const files = await certificateContent(artifacts, stored, proofs ?? [], signer)
  await newFolder(out, async (folder) => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    }
    if (Object.keys(files).some((path) => path.startsWith(`${certificatePaths.private}/`)))
      await chmod(join(folder, certificatePaths.private), OWNER_ONLY)
  })
  const { state, model } = stored.record
  const { id: keyid } = signer.publicKey
  if (json)
    printJson({
      ...{ folder: out, ledger, number, state, keyid, model: model.after.sha256 },
      ...{ modelConfig: certificatePaths.modelConfig in files, proofs: proofs?.length ?? null },
    })
  else {
    print(`${out}: the certificate of request ${number} of ${ledger}, which was ${state}, signed by ${keyid}`)
    print(
      proofs
        ? `${join(out, certificatePaths.private)}: ${counted(proofs.length, 'proof')} for the subjects; not for publication`
        : 'The store has no notes of the request, so that the certificate has no proofs for subjects.',
    )
  }
  return 0
}

/** Refuses to sign records that contradict themselves or each other. Throws a UserError. */
function refuseContradictions({ record, earlier }: StoredDeletion): void {
  const all = [...earlier, record]
  const flaws = all.flatMap((one, i) =>
    [...deletionFlaws(one), ...chainFlaws(one, all.slice(0, i))].map(
      ({ path, message }) => `request ${i + 1}, ${path}: ${message}`,
    ),
  )
  if (flaws.length > 0)
    throw new UserError(
      `the records of the ledger ${record.ledger.name} contradict each other, and nothing is signed: ${flaws.join('; ')}; ` +
        'restore them from a copy of the store',
    )
}

/**
 * Returns the proofs of all subjects, or undefined without notes of the request. Throws a UserError
 * if the notes do not fit the record.
 */
function proofsOf({ record, notes }: StoredDeletion): readonly InclusionProof[] | undefined {
  if (!notes) return undefined
  const ids = notes.samples.map(({ id }) => id)
  const { root, proofs } = merkleTree(notes.salt, ids)
  if (root === record.forgotten.root && ids.length === record.forgotten.samples) return proofs
  throw new UserError(
    `the notes of request ${record.number} of the ledger ${record.ledger.name} are not those of its record: the root of their ${ids.length} samples is ${root}, ` +
      `expected ${record.forgotten.root} of ${record.forgotten.samples}; restore them from a copy of the store`,
  )
}

/** Returns the files of a certificate by their paths. */
async function certificateContent(
  artifacts: Artifacts,
  { record, earlier, notes }: StoredDeletion,
  proofs: readonly InclusionProof[],
  signer: Signer,
): Promise<Readonly<Record<string, string | Uint8Array>>> {
  const page = { record, keyid: signer.publicKey.id, ...(notes && { times: notes }) }
  const config = await modelConfig(artifacts, record)
  const model = {
    [certificatePaths.model]: await modelBytes(artifacts, record),
    ...(config && { [certificatePaths.modelConfig]: config }),
  }
  const modelSignature = signedFolder(modelFolder, modelFiles(digestsOf(model)), signer)
  const files: Readonly<Record<string, string | Uint8Array>> = {
    ...model,
    [certificatePaths.modelSignature]: modelSignature,
    [certificatePaths.record]: canonicalJson(record),
    ...Object.fromEntries(earlier.map((one) => [chainPath(one.number), canonicalJson(one)])),
    [certificatePaths.page]: await renderHtml(deletionDocument(page)),
    [certificatePaths.readme]: renderMarkdown(deletionReadme(page)),
  }
  return {
    ...files,
    [certificatePaths.envelope]: signedStatement(deletionClaims(record).deletion, signer),
    [certificatePaths.signature]: signedFolder(certificateFolder, certificateFiles(digestsOf(files)), signer),
    ...(await runContent(artifacts, record, proofs.length, signer)),
    ...Object.fromEntries(proofs.map((proof) => [proofPath(proof.leaf), canonicalJson(proof)])),
  }
}

function digestsOf(files: Readonly<Record<string, string | Uint8Array>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [path, sha256(content)]))
}

async function modelBytes(artifacts: Artifacts, { number, model }: Deletion): Promise<Uint8Array> {
  try {
    return await artifacts.getBlob(model.after)
  } catch (error) {
    if (!(error instanceof MissingBlobError)) throw error
    throw new UserError(
      `the model after request ${number} is no longer in the store ${artifacts.store.url} (blob ${model.after.sha256}); ` +
        'name a store that has it with --store',
    )
  }
}

/**
 * Returns the private run: the report of the accepted attempt, the model in use from which its
 * method started, if it did, and the number of proofs. It is private, since a report names the
 * samples. Returns no files if the store no longer has the report.
 */
async function runContent(
  artifacts: Artifacts,
  { attempts, state, model: { before } }: Deletion,
  proofs: number,
  signer: Signer,
): Promise<Readonly<Record<string, string | Uint8Array>>> {
  const id = attempts.at(-1)?.run
  if (state !== 'fulfilled' || id === undefined) return {}
  const [run, report] = await Promise.all([artifacts.run(id), artifacts.reportJson(id)])
  if (!run || report === undefined) return {}
  const { given: original } = run.spec.original ?? {}
  const [given] = original ? filesOf(original) : []
  const files = {
    [certificatePaths.report]: report,
    ...(proofs > 0 && { [certificatePaths.proofCount]: proofCountText(proofs) }),
    ...(given?.name === before.sha256 && {
      [`${certificatePaths.run}/${given.name}`]: await artifacts.getBlob(before),
    }),
  }
  return {
    ...files,
    [certificatePaths.runSignature]: signedFolder(runFolder, runFiles(digestsOf(files)), signer),
  }
}

/**
 * Returns a description of the model: its layers and classes. Returns undefined if the store no
 * longer has the run that made the model.
 */
async function modelConfig(artifacts: Artifacts, { attempts }: Deletion): Promise<Uint8Array | undefined> {
  const id = attempts.at(-1)?.run
  const run = id === undefined ? undefined : await artifacts.run(id)
  if (!run) return undefined
  const { facts } = run
  const { model } = run.spec
  if (model.name === 'external') return undefined
  return jsonBytes({
    format: 'zeroshift-model',
    version: 1,
    model,
    classes: facts.classes,
    shape: facts.shape,
    layers: layersOf(model, facts.shape, facts.classes.length),
  })
}
