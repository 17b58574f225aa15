import { code, table } from './markdown.ts'

/**
 * The files of a store: `<name>` stands for one part of a path, a final `…` for any file below it.
 */
export const storeLayout: readonly { readonly path: string; readonly about: string }[] = [
  {
    path: 'store.json',
    about: 'the [format](#formats) of the store, and the manifests that are older than digests',
  },
  {
    path: 'blobs/sha256/<aa>/<sha256>',
    about: 'bytes, such as weights and logits, named by their SHA-256. A blob is never changed',
  },
  {
    path: 'stages/<kind>/<key>/manifest.json',
    about: 'a finished stage: its figures, its inputs and the blobs that it wrote. It is written last',
  },
  {
    path: 'stages/<kind>/<key>/signatures/<keyid>.json',
    about: "a [signature](../guides/security.md#signatures) of the manifest's digest, one for each key",
  },
  { path: 'stages/<kind>/<key>/lease/…', about: 'an unfinished stage: the worker that computes it' },
  { path: 'stages/<kind>/<key>/checkpoints/…', about: 'an unfinished stage: its checkpoints' },
  { path: 'runs/<id>/run.json', about: 'the spec and the plan of a run' },
  {
    path: 'runs/<id>/own.json',
    about: 'somebody started the run by itself: it is not only a cell of a sweep',
  },
  { path: 'runs/<id>/labels.json', about: 'the tags and the note that a user gave to the run' },
  {
    path: 'runs/<id>/report/…',
    about: 'the report of a run, in [these files](../guides/reading-a-report.md#the-files)',
  },
  {
    path: 'runs/<id>/report.signatures/<keyid>.json',
    about: "a signature of the report's digest, one for each key",
  },
  { path: 'sweeps/<id>/sweep.json', about: 'the cells of a sweep and their runs' },
  { path: 'sweeps/<id>/report/…', about: 'the report of a sweep' },
  { path: 'ledgers/<name>/ledger.json', about: 'the rules of a [ledger](../guides/deletion-requests.md)' },
  {
    path: 'ledgers/<name>/<n>.request.json',
    about:
      'a deletion request: its reference, its samples and the salt of their ids. It stays with the operator',
  },
  {
    path: 'ledgers/<name>/<n>.json',
    about: 'the record of a settled request, as canonical JSON. It names no sample and does not change',
  },
  {
    path: 'ledgers/<name>/<n>.notes.json',
    about: 'the times of a settled request, its samples and the salt. It stays with the operator',
  },
  {
    path: 'ledgers/<name>/<n>.purge.json',
    about: 'what `purge` has deleted after a request, and what it has kept, as canonical JSON',
  },
  { path: 'removals/<name>.json', about: 'a removal of runs that is not finished' },
  { path: 'maintenance/<n>.json', about: 'the lock of the command that deletes from the store now' },
  { path: 'doctor/…', about: 'probes of `doctor`, `check --repair` and `gc`, which delete them themselves' },
]

/** docs/reference/store-layout.md: the files of a store and its formats. */
export function storeLayoutPage(): string {
  const rows = storeLayout.map(({ path, about }) => [code(path), about])
  return [INTRODUCTION, table(['path', 'content'], rows), FORMATS].join('\n\n')
}

const INTRODUCTION = `# Store layout

A store is a directory, or the objects of an S3 bucket below a prefix. [The store](../concepts/store.md) explains what is kept and
removed, how results are copied, and how a store is backed up. A manifest refers to blobs and to the digests of its inputs' manifests, a report to
manifests, and a sweep to runs. \`./zeroshift check\` tells whether all of it is as it was written.`

const FORMATS = `## Formats

| format | written by         | what differs                                                                                       |
| ------ | ------------------ | -------------------------------------------------------------------------------------------------- |
| 0      | the first versions | no \`store.json\`; manifests have no digest of their own                                             |
| 1      | this version       | \`store.json\` lists the manifests without a digest that were there before; any other counts as none |

A store of format 0 gets its \`store.json\` when the next run begins in it, or when something is copied into it. Nothing else changes, and no command is needed. A
copy of such a store has the format 1 and lists its old manifests. Every command refuses a store of a later format: use the version of Zeroshift that
wrote it.`
