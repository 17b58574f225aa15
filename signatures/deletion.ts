import type { Deletion } from '../experiment/records/deletion.ts'
import { STATEMENT_TYPE, type Claims } from './statement.ts'

/**
 * The statement about a deletion request, which the operator signs, and an auditor who vouches for
 * it. Its subject is the model after the request, and its predicate the whole record
 * (configs/deletion-record.schema.json).
 */
export function deletionClaims(record: Deletion): Claims<'deletion'> {
  const { sha256 } = record.model.after
  return {
    deletion: {
      _type: STATEMENT_TYPE,
      subject: [{ name: 'model', digest: { sha256 } }],
      predicateType: `urn:zeroshift:deletion:v${record.format}`,
      predicate: record,
    },
  }
}
