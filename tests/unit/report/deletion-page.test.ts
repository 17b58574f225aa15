import { describe, expect, test } from 'vitest'
import { claims, type Deletion } from '../../../experiment/records/deletion.ts'
import { deletionDocument, deletionReadme } from '../../../report/deletion-page.ts'
import { renderHtml } from '../../../report/render/html.ts'
import { renderMarkdown } from '../../../report/render/markdown.ts'
import { madeBatch, madeDeletions } from '../../support/deletions.ts'

const [measured, replayed, refused] = madeDeletions(3)
if (!measured || !replayed || !refused) throw new Error('three requests were made')
const keyid = 'ab'.repeat(32)

const htmlOf = (record: Deletion) => renderHtml(deletionDocument({ record, keyid }))
/** The text of the page as somebody reads it. */
async function textOf(record: Deletion): Promise<string> {
  const html = await htmlOf(record)
  return html
    .replace(/^[^]*<body>/, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
}

describe('the page says how certain the deletion is', () => {
  test.each(claims)('for the claim %s', async (claim) => {
    const text = await textOf({ ...replayed.record, claim })
    if (claim === 'measured') {
      expect(text).toContain('Not certain, but measured')
      expect(text).toContain('does not prove that nothing is left')
      expect(text).toContain('A stronger test may find traces')
      expect(text).not.toContain('computed without')
    } else {
      expect(text).toContain('Certain, if the recorded computation took place')
      expect(text).toContain('computed without 3 samples')
      expect(text).not.toContain('Not certain')
    }
  })

  test('for a refused request, of which it says first that nothing was deleted', async () => {
    const text = await textOf(refused.record)
    expect(text).toContain('was refused: the model has not changed')
    expect(text).toContain('Nothing was deleted.')
    expect(text).toContain('no step of the ladder is left')
    expect(text).not.toContain('Certain, if')
  })
})

test('the page shows evidence with its interval next to the floor and the limit, and the cost', async () => {
  const text = await textOf(measured.record)
  expect(text).toMatch(/rfa Avg\. gap 0\.75 0\.5 – 1 2\.5 0\.5 1 yes/)
  expect(text).toMatch(/rfa rfa accepted 1,200 48,000/)
  expect(await textOf(replayed.record)).toMatch(/klom95 – – – – 2 no: there is one gold model/)
})

test('the page says whether the model before was compared with the limits', async () => {
  expect(await textOf(measured.record)).toContain('above at least one of these limits')
  const [early] = madeDeletions(1, 3, 1)
  const text = await textOf(early?.record ?? measured.record)
  expect(text).toContain('The model in use before was not compared with the limits')
  expect(text).not.toContain('above at least one of these limits')
  expect(text).toMatch(/Avg\. gap 0\.75 0\.5 – 1 – 0\.5 1 yes/)
})

test('the page says which requests were settled together', async () => {
  const [, second] = madeBatch(3)
  const text = await textOf(second?.record ?? measured.record)
  expect(text).toContain('Settled together requests 1 to 3')
  expect(text).toContain('3 requests were settled together, in one computation.')
  expect(text).toMatch(/Samples of this request 3 .*so far 6/)
  expect(await textOf(measured.record)).not.toContain('together')
})

test('the page has every digest, and what was not tested', async () => {
  const { record } = replayed
  const text = await textOf(record)
  const { model, data, forgotten, previous, ledger } = record
  for (const digest of [model.before.sha256, model.after.sha256, data.dataset, data.before, data.after])
    expect(text).toContain(digest)
  for (const digest of [forgotten.root, previous ?? '', ledger.digest, keyid]) expect(text).toContain(digest)
  for (const judge of record.notTested) expect(text).toContain(judge)
})

test('times are shown as notes of the operator', async () => {
  const page = { record: measured.record, keyid, times: measured.notes }
  const html = await renderHtml(deletionDocument(page))
  expect(html).toContain(measured.notes.received)
  expect(html).toContain('They are not part of the record.')
  expect(html).not.toContain(measured.notes.salt)
})

test('text of a record is escaped, and the page loads nothing', async () => {
  const reference = '<script>alert(1)</script> [x](javascript:alert(1))'
  const record = { ...measured.record, reference }
  const html = await htmlOf(record)
  expect(html).not.toContain('<script')
  expect(html).toContain('&#60;script&#62;alert(1)')
  expect(html).not.toMatch(/\b(src|href)="(?!#)/)
  expect(html).toContain("default-src 'none'")
  const ledger = { ...record.ledger, name: '<img src=x>' }
  expect(renderMarkdown(deletionReadme({ record: { ...record, ledger }, keyid }))).not.toContain('<img')
})
