import { metricColumns } from '../experiment/records/results.ts'
import {
  batchOf,
  type Attempt,
  type Claim,
  type Deletion,
  type DeletionNotes,
  type Evidence,
} from '../experiment/records/deletion.ts'
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
    lead: leadOf(record),
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
      'one proof for each subject, and the run of the accepted attempt, whose report names the samples. It is not for publication: remove it from a copy that others get',
    ],
    ['recomputed.intoto.jsonl', 'attestations of those who computed the model again, if there are any'],
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

function leadOf({ state, claim, forgotten }: Deletion): string {
  const samples = counted(forgotten.samples, 'sample')
  if (state === 'refused') return `The request to forget ${samples} was refused: the model has not changed.`
  return claim === 'measured'
    ? `The model was changed to forget ${samples}.`
    : `The model was replaced by one that was computed without ${samples}.`
}

const titleOf = ({ number, ledger }: Deletion) => `Deletion request ${number} of the ledger ${ledger.name}`

function deleted({ record, times }: DeletionPage): Section {
  const { reference, forgotten, forgottenBefore, state } = record
  const batch = batchOf(record)
  const facts: readonly (readonly [string, Text])[] = [
    ['Reference of the operator', reference],
    ['Samples of this request', grouped(forgotten.samples)],
    ['Samples of all fulfilled requests so far', grouped(forgottenBefore)],
    ...(batch ? ([['Settled together', `requests ${batch.first} to ${batch.last}`]] as const) : []),
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
        ? [prose('From this request on, these samples are no longer training samples of the model.')]
        : []),
      ...(batch
        ? [
            prose(
              `${batch.last - batch.first + 1} requests were settled together, in one computation. The attempts and their figures below are those of all of them, ` +
                'and the new model is the same for all. Each request has a record and a list of samples of its own.',
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
      'The new model was trained from the beginning. No sample of this or of an earlier fulfilled request was read for it. ' +
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

function certainty({ format, claim, attempts }: Deletion): Section {
  const own = claim && certainties[claim]
  const evidence = attempts.flatMap((attempt) => attempt.evidence.map((one) => ({ attempt, evidence: one })))
  return {
    title: 'How certain that is',
    blocks: [
      ...(own
        ? [{ kind: 'prose', text: own.headline, style: 'headline' } as const, prose(own.text)]
        : [prose('The request was refused. No model was accepted, so that there is no claim.')]),
      ...(claim === 'measured' && format > 1
        ? [
            prose(
              'The model in use before is above at least one of these limits, so that the figures tell the two models apart.',
            ),
          ]
        : []),
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
                { label: 'The model in use before' },
                { label: 'A model without the samples' },
                { label: 'Limit' },
                { label: 'Within the limit', text: true },
              ],
              rows: evidence.map(({ attempt, evidence: one }) => evidenceRow(attempt, one)),
              notes: [
                ...new Set(
                  evidence.map(({ evidence: { figure } }) => `${labelOf(figure)}: ${aboutOf(figure)}.`),
                ),
                'The model in use before: the same figure of the model that the method started from, which had forgotten nothing of this request. ' +
                  'If all of its values are within the limits, the figures show no deletion, and the attempt is not accepted.',
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
  missed: 'not accepted, not used',
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
  { figure, value, interval, before, floor, limit, accepted, missing }: Evidence,
): Row {
  const verdict = missing === undefined ? (accepted ? 'yes' : 'no') : `no: ${missing}`
  const between = interval ? `${shown(interval[0])} – ${shown(interval[1])}` : '–'
  return {
    cells: [
      ...[label, labelOf(figure), shown(value), between],
      ...[shown(before?.value), shown(floor), shown(limit), verdict],
    ],
  }
}

/** Four significant digits. */
const shown = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : String(Number(value.toPrecision(4)))

const columnOf = (figure: string) => Object.entries(metricColumns).find(([name]) => name === figure)?.[1]
const labelOf = (figure: string) => columnOf(figure)?.label ?? figure
const aboutOf = (figure: string) => columnOf(figure)?.about ?? 'a figure of the report'

function limits({ format, claim, notTested }: Deletion): readonly Text[] {
  return [
    ...(claim === 'measured'
      ? ['A stronger test may find traces of the samples. Only the figures above were measured.']
      : []),
    ...(claim === 'measured' && format === 1
      ? [
          'The model in use before was not compared with the limits. It may be within them, too, and then the figures show no deletion. The record has an early format without this comparison.',
        ]
      : []),
    'The record is about the model. It does not show that the samples were erased from disks, backups and other systems.',
    'Somebody may have a copy of an earlier model.',
    'The operator may use another model than that of this record. Compare the SHA-256 of the model in use with the one below.',
    'The remaining samples may contain similar data, such as another picture of the same person under another id.',
    'The operator alone knows to whom a sample belongs.',
    'A signature says who vouches for the record. It does not show that the record is true. Computing the result again, from the same data and code, does.',
    ...notTested.map((judge): Text => ['This was not tested: ', judge]),
  ]
}

function checks({ record, keyid }: DeletionPage): readonly Block[] {
  return [
    prose(
      'Get the public key of the operator from another place than this certificate, for example from their site. In the folder of the certificate, this command names every file that was changed, added or removed. It needs no network:',
    ),
    code('zeroshift verify . --require-signature operator.pub', 'sh'),
    prose(
      'With the private part and the data, the model can be computed again, without the store of the operator:',
    ),
    code('zeroshift verify . --require-signature operator.pub --recompute --data-directory DATA', 'sh'),
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
    prose('A person concerned checks the proof that the operator gave to them:'),
    code('zeroshift verify . --require-signature operator.pub --proof my-proof.json', 'sh'),
    prose([
      'The proof leads to the root ',
      { code: record.forgotten.root },
      ' by the algorithm of RFC 9162, section 2.1.3.2. A leaf is the SHA-256 of a zero byte, the 32 bytes of its salt and the id.',
    ]),
  ]
}

function codeFacts(code: Deletion['code']): readonly (readonly [string, string])[] {
  if (typeof code === 'string') return [['Version of Zeroshift', code]]
  return [
    ['Version of Zeroshift', code.version],
    ...Object.entries(code.stages).map(([name, { version, digest }]): readonly [string, string] => [
      `Code of ${name}, version ${version}`,
      digest,
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
    ...codeFacts(record.code),
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
