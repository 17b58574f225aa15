import { metricColumns } from '../experiment/records/results.ts'
import type { Attempt, Claim, Deletion, DeletionNotes, Evidence } from '../experiment/records/deletion.ts'
import { counted, grouped } from '../common/counted.ts'
import { code, note, prose, type Block, type Document, type Row, type Section, type Text } from './blocks.ts'

/** What the pages of a certificate show beside the record. */
export interface DeletionPage {
  readonly record: Deletion
  /** Times, as the operator noted them. Absent if the store has no notes of the request. */
  readonly times?: Pick<DeletionNotes, 'received' | 'finished'>
  /** The id of the key that signs the certificate. */
  readonly keyid: string
}

/**
 * The page of a certificate for a data-protection officer. It says in plain words what was deleted,
 * how certain that is, what the record does not show, and how to check it.
 */
export function deletionDocument(page: DeletionPage): Document {
  const { record } = page
  return {
    kind: 'Record of a deletion request',
    title: titleOf(record),
    lead:
      record.state === 'fulfilled'
        ? `A model has forgotten ${counted(record.forgotten.samples, 'sample')}.`
        : 'The request was refused: the model has not changed.',
    sections: [
      deleted(page),
      certainty(record),
      { title: 'What this record does not show', blocks: [{ kind: 'list', items: limits(record) }] },
      { title: 'How to check it', blocks: checks(page) },
      digests(record),
    ],
    footer: ['This page was written from ', { code: 'record.json' }, ', which counts if the two differ.'],
  }
}

/** The instructions in the folder of a certificate. */
export function deletionReadme(page: DeletionPage): Document {
  const { record } = page
  const files: readonly (readonly [string, string])[] = [
    ['index.html', 'an explanation of the record in plain words'],
    ['record.json', 'the record of the request, as canonical JSON (RFC 8785)'],
    ['record.intoto.jsonl', 'the signed in-toto statement about the record, in a DSSE envelope'],
    ['chain/', 'the records of all earlier requests; each record has the digest of the one before'],
    ['model/', 'the model after the request, signed as OMS 1.0 in model.sig'],
    ['certificate.sig', 'the signature of all files above but record.intoto.jsonl, in the format OMS 1.0'],
    [
      'private/',
      'one proof for each subject. It is not for publication: remove it from a copy that others get',
    ],
  ]
  return {
    kind: '',
    title: titleOf(record),
    lead: `The certificate of a deletion request that was ${record.state}. index.html explains it in plain words.`,
    sections: [
      {
        title: 'Files',
        blocks: [{ kind: 'list', items: files.map(([name, about]): Text => [{ code: name }, `: ${about}`]) }],
      },
      { title: 'How to check it', blocks: checks(page) },
      {
        title: 'Proofs for subjects',
        blocks: [
          prose([
            'Each file in ',
            { code: 'private/proofs/' },
            ' has the id of one sample and a proof that it is among the forgotten ones. Give a subject the file of its own sample alone. ' +
              'The proof shows nothing about the other samples but their number. A removed ',
            { code: 'private/' },
            ' is no fault: all else can still be checked.',
          ]),
        ],
      },
    ],
    footer: 'What the record proves and what it does not prove is on the page.',
  }
}

const titleOf = ({ number, ledger }: Deletion) => `Deletion request ${number} of the ledger ${ledger.name}`

function deleted({ record, times }: DeletionPage): Section {
  const { reference, forgotten, forgottenBefore, state } = record
  const facts: readonly (readonly [string, Text])[] = [
    ['Reference of the operator', reference],
    ['Samples of this request', grouped(forgotten.samples)],
    ['Samples of all fulfilled requests so far', grouped(forgottenBefore)],
    ...(times
      ? ([
          ['Received', times.received],
          ['Settled', times.finished],
        ] as const)
      : []),
  ]
  const refusal: readonly Block[] =
    state === 'refused'
      ? [
          {
            kind: 'banner',
            tone: 'alert',
            title: 'Nothing was deleted.',
            text: `The model and its training data are the same as before. The reason: ${record.reason ?? 'none was recorded'}.`,
          },
        ]
      : []
  return {
    title: 'What was deleted',
    blocks: [
      ...refusal,
      { kind: 'terms', style: 'facts', items: facts.map(([term, text]) => ({ term, text })) },
      ...(state === 'fulfilled'
        ? [
            prose(
              'The influence of these samples on the model was removed. From this request on, the samples are no longer training samples.',
            ),
          ]
        : []),
      prose(
        'The samples are not named here. The record contains a single number that fixes the list of samples without showing it. ' +
          'The operator can give each person concerned a proof that their own sample is on the list.',
      ),
      ...(times ? [note('The times are notes of the operator. They are not part of the record.')] : []),
    ],
  }
}

/** How certain a deletion is, by its claim. */
const certainties: Readonly<Record<Claim, { readonly headline: string; readonly text: string }>> = {
  retrained: {
    headline:
      'Certain, if the recorded computation took place: the model was trained again without the samples.',
    text:
      'The new model was trained from the beginning. No deleted sample was read for it, in this or an earlier fulfilled request. ' +
      'It therefore contains nothing that was learnt from them.',
  },
  replayed: {
    headline:
      'Certain, if the recorded computation took place: the training was repeated without the samples.',
    text:
      'The training was continued from a state that none of the deleted samples had influenced, without these samples. The result has the same ' +
      'bytes as a training from the beginning that leaves them out. It therefore contains nothing that was learnt from them.',
  },
  sisa: {
    headline:
      'Certain, if the recorded computation took place: the parts of the model that had read the samples were trained again.',
    text:
      'The model consists of parts, each of which is trained on a part of the data. All parts that had read a deleted sample were trained again ' +
      'without it. The model therefore contains nothing that was learnt from the deleted samples.',
  },
  measured: {
    headline: 'Not certain, but measured: the figures below are within the limits that were set before.',
    text:
      'The model was changed by a method that removes the influence of samples approximately. This does not prove that nothing is left of them. ' +
      'Tests compared the model with models that were trained without the samples, and the differences were small enough for the rule of the ledger.',
  },
}

function certainty({ claim, attempts }: Deletion): Section {
  const own = claim && certainties[claim]
  const evidence = attempts.flatMap((attempt) => attempt.evidence.map((one) => ({ attempt, evidence: one })))
  return {
    title: 'How certain that is',
    blocks: [
      ...(own
        ? [{ kind: 'prose', text: own.headline, style: 'headline' } as const, prose(own.text)]
        : [prose('The request was refused. No model was accepted, so that there is no claim.')]),
      {
        kind: 'table',
        ...{ name: 'Attempts', id: 'attempts' },
        columns: [
          { label: 'Attempt' },
          { label: 'Method', text: true },
          { label: 'Outcome', text: true },
          { label: 'Samples read' },
          { label: 'Samples that retraining reads' },
        ],
        rows: attempts.map(attemptRow),
      },
      ...(evidence.length > 0
        ? [
            {
              kind: 'table',
              ...{ name: 'Evidence', id: 'evidence' },
              columns: [
                { label: 'Attempt' },
                { label: 'Figure', text: true },
                { label: 'Value' },
                { label: '95% interval' },
                { label: 'A model without the samples' },
                { label: 'Limit' },
                { label: 'Accepted', text: true },
              ],
              rows: evidence.map(({ attempt, evidence: one }) => evidenceRow(attempt, one)),
              notes: [
                ...new Set(
                  evidence.map(({ evidence: { figure } }) => `${labelOf(figure)}: ${aboutOf(figure)}.`),
                ),
                'A model without the samples: the same figure of another model that was trained without them. A smaller value shows no difference.',
              ],
            } as const,
          ]
        : []),
    ],
  }
}

const outcomes: Readonly<Record<Attempt['outcome'], string>> = {
  accepted: 'accepted',
  missed: 'above a limit, not used',
  failed: 'failed, not used',
}

function attemptRow({ label, method, outcome, reason, cost }: Attempt): Row {
  const why = reason === undefined ? '' : `: ${reason}`
  const count = (samples: number | undefined) => (samples === undefined ? '–' : grouped(samples))
  return {
    cells: [label, method, `${outcomes[outcome]}${why}`, count(cost?.samples), count(cost?.retraining)],
  }
}

function evidenceRow(
  { label }: Attempt,
  { figure, value, interval, floor, limit, accepted, missing }: Evidence,
): Row {
  const verdict = missing === undefined ? (accepted ? 'yes' : 'no') : `no: ${missing}`
  const between = interval ? `${shown(interval[0])} – ${shown(interval[1])}` : '–'
  const cells = [label, labelOf(figure), shown(value), between, shown(floor), shown(limit), verdict]
  return { cells }
}

/** Four significant digits. */
const shown = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : String(Number(value.toPrecision(4)))

const columnOf = (figure: string) => Object.entries(metricColumns).find(([name]) => name === figure)?.[1]
const labelOf = (figure: string) => columnOf(figure)?.label ?? figure
const aboutOf = (figure: string) => columnOf(figure)?.about ?? 'a figure of the report'

function limits({ claim, notTested, state }: Deletion): readonly Text[] {
  return [
    ...(state === 'fulfilled' && claim === 'measured'
      ? ['That a stronger test would find nothing. Only the figures above were measured.']
      : []),
    'That the samples were erased from disks, backups and other systems. The record is about the model.',
    'That nobody has a copy of an earlier model.',
    'That the model of this record is the one in use. Compare the SHA-256 of the model in use with the one below.',
    'That no similar data is among the remaining samples, such as another picture of the same person under another id.',
    'To whom a sample belongs. The operator alone knows that.',
    'That the operator tells the truth. A signature says who vouches for the record, and not that it is true. Computing the result again, from the same data and code, shows that it is true.',
    ...notTested.map((judge): Text => ['Not tested: ', judge]),
  ]
}

function checks({ record, keyid }: DeletionPage): readonly Block[] {
  return [
    prose(
      'Get the public key of the operator on another way than this certificate, for example from their site. In the folder of the certificate, this command names every file that was changed, added or removed. It needs no network:',
    ),
    code('zeroshift verify . --require-signature operator.pub', 'sh'),
    prose(['The certificate was signed by the key with the id ', { code: keyid }, '.']),
    prose('Other programs check the parts, for example:'),
    code(
      [
        'sha256sum model/model.safetensors   # the SHA-256 of the model in the record',
        'model_signing verify key . --signature certificate.sig --public_key operator.pub',
        'model_signing verify key model --signature model/model.sig --public_key operator.pub',
      ].join('\n'),
      'sh',
    ),
    prose([
      'A subject compares the root in their proof file with that of the record, as RFC 6962 describes; ',
      { code: 'zeroshift verify' },
      ' does that for all proofs in the folder. The root of this request is ',
      { code: record.forgotten.root },
      '.',
    ]),
  ]
}

function digests(record: Deletion): Section {
  const { ledger, previous, forgotten, data, model, device, attempts } = record
  const facts: readonly (readonly [string, string])[] = [
    ['Model before', model.before.sha256],
    ['Model after', model.after.sha256],
    ['List of forgotten samples (Merkle root)', forgotten.root],
    ['Record of the request before', previous ?? 'none: this is the first request'],
    ['Config of the ledger', ledger.digest],
    ['Data set', data.dataset],
    ['List of training samples before', data.before],
    ['List of training samples after', data.after],
    ...attempts.map(({ label, run, report }): readonly [string, string] => [
      `Report of ${label} (run ${run})`,
      report ?? 'none',
    ]),
    ['Version of Zeroshift', record.code],
    ['Computed on', `${device.name}, ${counted(device.threads, 'thread')}`],
  ]
  return {
    title: 'Digests',
    blocks: [
      prose('Each digest is a SHA-256. Equal digests mean equal content.'),
      {
        kind: 'terms',
        style: 'facts',
        items: facts.map(([term, text]) => ({ term, text: [{ code: text }] })),
      },
    ],
  }
}
