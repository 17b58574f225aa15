import { createHash } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson, sha256 } from '../common/canonical.ts'
import { differences } from '../common/differences.ts'
import { UserError } from '../common/errors.ts'
import { parseJson } from '../common/json.ts'
import { preAuthenticationEncoding, readEnvelope } from './envelope.ts'
import { isSignature, publicPem, type PublicKey, type Signer } from './keys.ts'
import { PAYLOAD_TYPE, STATEMENT_TYPE } from './statement.ts'

/**
 * Signatures of the files of a folder in the format OMS 1.0 (OpenSSF Model Signing,
 * https://github.com/ossf/model-signing-spec), which tools such as Python's `model_signing` verify:
 * an in-toto statement with the digests of the files, in a DSSE envelope, in a Sigstore bundle.
 */

/** The SHA-256 of files by their paths in the folder, with `/` between the parts of a path. */
export type FileDigests = Readonly<Record<string, string>>

/** A folder, and the paths in it that the signature does not cover. */
export interface SignedFolder {
  readonly name: string
  readonly ignored: readonly string[]
}

/** The signature holds and lists exactly these files, or the reasons why it does not. */
export type VerifiedFolder = { readonly keyid: string } | { readonly flaws: readonly FolderFlaw[] }

export interface FolderFlaw {
  /** The path of a file in the folder. Absent if the signature itself does not hold. */
  readonly path?: string
  readonly message: string
}

const PREDICATE_TYPE = 'https://model_signing/signature/v1.0'
const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** Paths that the specification always excludes. */
const GIT_PATHS = ['.git', '.gitignore', '.gitattributes', '.github']

/** Signs the files of a folder. Returns the bundle as one line of JSON with a line break. */
export function signedFolder(folder: SignedFolder, files: FileDigests, signer: Signer): string {
  const payload = Buffer.from(canonicalJson(statementOf(folder, resourcesOf(files))))
  return bundleText(payload, signer.sign(preAuthenticationEncoding(PAYLOAD_TYPE, payload)), signer.publicKey)
}

/**
 * Verifies the signature of a folder by one of the keys. `files` are the digests of the files that
 * the folder has, without those that are ignored.
 */
export function verifyFolder(
  text: string,
  where: string,
  folder: SignedFolder,
  files: FileDigests,
  keys: readonly PublicKey[],
): VerifiedFolder {
  const bundle = bundleIn(text, where)
  if ('message' in bundle) return { flaws: [bundle] }
  const { payload, sig, hint } = bundle
  const message = preAuthenticationEncoding(PAYLOAD_TYPE, payload)
  const key = keys.find((candidate) => hintOf(candidate) === hint)
  if (!key) {
    const ids = keys.map(({ id }) => id).join(' or ')
    return {
      flaws: [
        {
          message:
            ids === '' ? 'it cannot be checked, because no key is known' : `it is by another key than ${ids}`,
        },
      ],
    }
  }
  if (!isSignature(message, sig, key))
    return { flaws: [{ message: `the signature by ${key.id} does not verify` }] }
  if (bundleText(payload, sig, key) !== text)
    return { flaws: [{ message: 'its bytes are not those that Zeroshift writes for its content' }] }
  const signed = statementSchema.safeParse(parseJson(payload)).data
  if (!signed) return { flaws: [{ message: 'its payload is no statement about the files of a folder' }] }
  const { resources } = signed.predicate
  const [other] = differences(statementOf(folder, resources), parseJson(payload))
  if (other) return { flaws: [{ message: `its ${other.path} is ${other.after}, expected ${other.before}` }] }
  const flaws = fileFlaws(resources, files)
  return flaws.length > 0 ? { flaws } : { keyid: key.id }
}

/** Compares the files of a folder with the signed ones. */
function fileFlaws(resources: readonly Resource[], files: FileDigests): readonly FolderFlaw[] {
  const signed = new Map(resources.map(({ name, digest }) => [name, digest]))
  return [
    ...[...signed].flatMap(([path, digest]) => {
      const found = files[path]
      if (found === digest) return []
      if (found === undefined) return [{ path, message: 'this signed file is missing' }]
      return [{ path, message: `its SHA-256 is ${found}; the signed one is ${digest}` }]
    }),
    ...Object.keys(files).flatMap((path) =>
      signed.has(path) ? [] : [{ path, message: 'this file was added: it is not among the signed ones' }],
    ),
  ]
}

const resource = z.object({ name: z.string(), algorithm: z.literal('sha256'), digest: z.string() })
type Resource = z.output<typeof resource>
const statementSchema = z.object({ predicate: z.object({ resources: z.array(resource) }) })

function statementOf({ name, ignored }: SignedFolder, resources: readonly Resource[]): object {
  const root = createHash('sha256')
  for (const { digest } of resources) root.update(digest, 'hex')
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: root.digest('hex') } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      resources,
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: [...GIT_PATHS, ...ignored],
      },
    },
  }
}

/** The files in the order of their code points, which is that of their bytes in UTF-8. */
function resourcesOf(files: FileDigests): readonly Resource[] {
  return Object.entries(files)
    .map(([name, digest]) => ({ name, algorithm: 'sha256' as const, digest }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

/** The key is named by the SHA-256 of its PEM text, as by the reference implementation. */
const hintOf = (key: PublicKey) => sha256(publicPem(key))

function bundleText(payload: Buffer, sig: Buffer, key: PublicKey): string {
  const bundle = {
    mediaType: MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: hintOf(key) }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: sig.toString('base64'), keyid: '' }],
    },
  }
  return `${JSON.stringify(bundle)}\n`
}

const bundleSchema = z.object({
  mediaType: z.literal(MEDIA_TYPE),
  verificationMaterial: z.object({ publicKey: z.object({ hint: z.string() }) }),
  dsseEnvelope: z.object({
    payload: z.string(),
    payloadType: z.string(),
    signatures: z.array(z.object({ sig: z.string(), keyid: z.literal('') })).length(1),
  }),
})

interface Bundle {
  readonly payload: Buffer
  readonly sig: Buffer
  readonly hint: string
}

function bundleIn(text: string, where: string): Bundle | { readonly message: string } {
  const { data } = bundleSchema.safeParse(parseJson(text))
  if (!data) return { message: 'this is no Sigstore bundle with the signature of a folder' }
  try {
    const { payload, signatures } = readEnvelope(JSON.stringify(data.dsseEnvelope), PAYLOAD_TYPE, where)
    const [signature] = signatures
    if (!signature) return { message: 'its envelope has no signature' }
    return { payload, sig: signature.sig, hint: data.verificationMaterial.publicKey.hint }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return { message: error.problems.map(({ message }) => message).join('; ') }
  }
}
