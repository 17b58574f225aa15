import { expect, test } from 'vitest'
import {
  missingSignature,
  signatureLines,
  type CheckedSignatures,
} from '../../../../cli/workspace/report-signatures.ts'
import { newSigningKey } from '../../../../signatures/keys.ts'

const key = newSigningKey().publicKey
const named = { keyid: key.id, claim: 'rendered', named: true } as const
const other = { keyid: 'cd', claim: 'attested', named: false } as const
const flaw = 'report.json.intoto.jsonl:1: it is not right'

test.each<[string, CheckedSignatures, readonly RegExp[], string | undefined]>([
  ['none', { signers: [], flaws: [] }, [/^The report is not signed\.$/], 'the report is not signed'],
  [
    'the wanted one',
    { signers: [named], flaws: [] },
    [/is signed by [0-9a-f]{64}, as rendered\.$/],
    undefined,
  ],
  [
    'the wanted one beside one that does not hold',
    { signers: [named], flaws: [flaw] },
    [/is signed by [0-9a-f]{64}, as rendered\.$/, /^A signature does not hold: .*:1: it is not right\.$/],
    undefined,
  ],
  [
    'one by another key',
    { signers: [other], flaws: [] },
    [/^The report is signed by cd, as attested: --require-signature named no such key/],
    'the report is signed by cd',
  ],
  [
    'one that does not hold',
    { signers: [], flaws: [flaw] },
    [/^The report is not signed\.$/, /does not hold: /],
    'the report is not signed',
  ],
])('a report with %s', (_, signatures, lines, refusal) => {
  const said = signatureLines(signatures)
  expect(said).toHaveLength(lines.length)
  for (const [i, line] of lines.entries()) expect(said[i]).toMatch(line)
  const why = missingSignature(signatures, [key])
  if (refusal === undefined) expect(why).toBeUndefined()
  else expect(why).toContain(`${refusal}; expected a signature by ${key.id}`)
  if (why !== undefined && signatures.flaws.length > 0) expect(why).toContain(flaw)
})
