import { sha256 } from '../../common/canonical.ts'
import type { Claims } from '../../signatures/statement.ts'
import { verifySignature } from '../check/check-signatures.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { Flaw, VerifiedObject } from './contained.ts'

/** The valid signatures, whoever signed. Each of the others is added to the flaws. */
export async function validSignatures<C extends string>(
  store: ObjectStore,
  paths: readonly string[],
  claims: Claims<C>,
  flaws: Flaw[],
): Promise<readonly VerifiedObject[]> {
  const sound: VerifiedObject[] = []
  // One at a time, because anybody may have written many of them.
  for (const path of paths) {
    const bytes = await store.get(path)
    if (!bytes) continue
    const verified = verifySignature(path, new TextDecoder().decode(bytes), claims, [])
    const what = 'flaw' in verified ? verified.flaw : keyName.test(path) ? undefined : NO_KEY_NAME
    if (what === undefined) sound.push({ path, bytes: bytes.length, sha256: sha256(bytes) })
    else flaws.push({ path, what })
  }
  return sound
}

/** Only files in the folder itself are copied. */
const keyName = /\/(report\.)?signatures\/\w[\w.:=+-]{0,199}\.json$/
const NO_KEY_NAME = 'its name is no id of a key'
