import { isElsewhere } from '../../experiment/spec/places.ts'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { digestOf } from '../../common/canonical.ts'
import type { CheckpointFacts } from '../../experiment/models/pretrained.ts'
import { filesDigest, filesOf } from '../../experiment/spec/given.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { describeChanges, differences } from '../../common/differences.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import { runId, type RunInput, type RunResult } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { isOfProgram, type StageRef } from '../../experiment/stages/stage.ts'
import { plannedAgain, readPublished, type Published, type PublishedRun } from '../../report/published.ts'
import { certificatePaths } from '../../signatures/certificate.ts'
import type { Signer } from '../../signatures/keys.ts'
import { compareWithReport, type Verification } from '../../report/verification.ts'
import { withServer, type LaunchOptions } from '../launch/command-server.ts'
import { putVerifiedAttachments } from '../launch/verified-attachments.ts'
import { launchRun, watchRun } from '../launch/launch-run.ts'
import { interrupted, type Outcome } from '../launch/watch-workflow.ts'
import { findReport, type FoundReport, type ReportSelection } from '../workspace/find-report.ts'
import { artifactsIn } from '../workspace/existing-store.ts'
import { publicKeysIn } from '../workspace/key-files.ts'
import { absolutePath, home, storeFor } from '../workspace/workspace.ts'
import { createInspection } from '../launch/inspection.ts'
import { coloursOf, printError } from '../output/print.ts'
import {
  checkReportSignatures,
  missingSignature,
  signatureLines,
  type CheckedSignatures,
} from '../workspace/report-signatures.ts'
import type { VerificationStatus } from '../output/show-verification.ts'
import { withOutput, type Output } from '../output/output.ts'
import { errorReason } from '../server/unwrap-error.ts'
import { isCertificate } from '../workspace/certificate-folder.ts'
import {
  attest,
  claimedRun,
  type ClaimedRun,
  type RecomputedRun,
} from '../workspace/recomputed-certificate.ts'
import { signerOf, type SignerOptions } from '../workspace/signer.ts'
import { refuseRunOptions, verifyCertificate } from './verify-certificate.ts'

interface VerifyOptions extends Omit<LaunchOptions, 'detach'>, ReportSelection, SignerOptions {
  readonly dataDirectory?: string
  readonly modelDirectory?: string
  /** Places of models that were made elsewhere, in any order. */
  readonly given?: readonly string[]
  readonly keep?: true
  /** Files of public keys. One of them must have signed the report. */
  readonly requireSignature?: readonly string[]
  /** The file of a subject's proof, for a certificate. */
  readonly proof?: string
  /** Computes the accepted attempt of a certificate again. */
  readonly recompute?: true
}

/** The exit code 2 stands for invalid input. */
const exitCodes: Readonly<Record<VerificationStatus, number>> = {
  verified: 0,
  different: 1,
  'within-floor': 3,
}

/** A run that is verified, and the place where it is computed again. */
interface Verified {
  readonly id: string
  readonly run: PublishedRun
  readonly report: FoundReport
  readonly signatures: CheckedSignatures
  /** The folder of the store that only this verification uses. */
  readonly directory: string
  /** The certificate whose accepted attempt the run is. */
  readonly claimed: ClaimedRun | undefined
  /** Signs an attestation for the certificate. */
  readonly signer: Signer | undefined
}

/**
 * `zeroshift verify REPORT`: computes a run again and compares it. Checks the certificate of a
 * deletion request instead if the folder is one, and with `--recompute` computes its accepted
 * attempt again. Returns the exit code.
 */
export function verify(target: string, options: VerifyOptions): Promise<number> {
  return withOutput(options, async (output) => {
    const keys = await publicKeysIn(options.requireSignature)
    const isOfRequest = await isCertificate(target)
    if (isOfRequest && !options.recompute) {
      refuseRunOptions({ ...options })
      return verifyCertificate(target, { keys, proof: options.proof }, output)
    }
    refuseCertificateOptions(target, isOfRequest, options)
    const claimed = isOfRequest ? await claimedRun(target, keys) : undefined
    const signs = options.key !== undefined || options.signWith !== undefined
    const signer = signs ? await signerOf(options) : undefined
    const report = await findReport(claimed?.report ?? target, options)
    const { changedCode, codeNames } = await import('../../activities/runtime/code-digests.ts')
    const published = readPublished(report.text, report.where)
    const run = plannedAgain(published, report.where, await changedCode(codeNames))
    const id = runId(run.spec.name, run.plan)
    if (claimed && published.digest !== claimed.digest)
      throw new UserError([
        {
          file: report.where,
          message: `this report has the digest ${published.digest}; that of the accepted attempt in the record is ${claimed.digest}`,
        },
      ])
    if (options.run !== undefined && options.run !== id)
      throw new UserError([
        { file: report.where, message: `this is the report of ${id}, not of ${options.run}` },
      ])
    const signatures = checkReportSignatures(report.signatures, id, published, keys)
    // The signature of a certificate covers its report.
    const refusal = keys.length > 0 && !claimed ? missingSignature(signatures, keys) : undefined
    if (refusal !== undefined) {
      const { red } = coloursOf(process.stderr)
      printError(red(`${id}: ${refusal}. Nothing was computed.`))
      return output.answer(1, { id, status: 'unsigned', error: refusal, signatures })
    }
    // The run is computed in a store of its own, so that no earlier result counts as a new one.
    const directory = resolve(home, 'verify', id)
    const verified = { id, run, report, signatures, directory, claimed, signer }
    return withServer(storeFor(directory), options, output, async (server) => {
      server.start()
      const input = await recomputation(verified, options, output)
      // A finished verification that `--keep` left is computed again from the beginning.
      if (existsSync(verdictFile(directory))) await rm(directory, { recursive: true })
      if (input.run.plan.programs) await copyFiles(input, options.store)
      const { store } = input.settings
      await putVerifiedAttachments(openArtifacts(store), run.plan, report.where, report.attachment)
      const launched = await launchRun(input, server)
      const outcome = launched ? await watchRun(launched, input, server) : interrupted
      return summarise(verified, outcome, options, output)
    })
  })
}

/**
 * Copies the files of external programs from the store of the run. Throws a UserError if it lacks
 * them.
 */
async function copyFiles(input: RunInput, store: string | undefined): Promise<void> {
  const { copyPrograms } = await import('../launch/store-programs.ts')
  const from = await artifactsIn(store)
  const [missing] = await copyPrograms(from, openArtifacts(input.settings.store), input)
  if (missing)
    throw new UserError(
      `the store ${from.store.url} lacks the files of an external program (${missing.params.files.map(({ path }) => path).join(', ')}); ` +
        'name the store of the run with --store',
    )
}

const verdictFile = (directory: string) => join(directory, 'verification.json')

/**
 * Returns the run as its report describes it, with the data of this machine. Throws a UserError if
 * the data or the checkpoint differs from the report's.
 */
async function recomputation(
  { id, run: { spec, facts, plan }, report, directory, claimed }: Verified,
  options: VerifyOptions,
  { printLine }: Output,
): Promise<RunInput> {
  const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
  const { inspectDataset } = await import('../../datasets/index.ts')
  const named = options.dataDirectory ?? report.dataDirectory
  const places = await givenPlaces(spec, report, [
    ...(options.given ?? []),
    ...(claimed ? [claimed.given] : []),
  ])
  const { model: own } = spec
  const ofOriginal = own.name === 'pretrained' ? places[filesDigest(checkpointOf(own).files)] : undefined
  const model = modelLocation(
    options.modelDirectory ?? report.modelDirectory ?? ofOriginal,
    spec,
    report.where,
  )
  const settings = {
    ...(named !== undefined && { dataDirectory: absolutePath(named) }),
    ...(model !== undefined && { modelDirectory: model }),
    ...(Object.keys(places).length > 0 && { places }),
  }
  const data = await findDataDirectory(spec.data, settings, printLine)
  // The worker alone executes the reader of a report, and refuses other data itself.
  if (spec.data.name !== 'plugin') refuseOtherData(facts, await inspectDataset(spec.data, data), data)
  if (spec.model.name === 'pretrained')
    refuseOtherCheckpoint(
      checkpointOf(spec.model),
      (await createInspection(printLine).checkpoint(settings)).facts,
      model,
    )
  const store = storeFor(directory)
  return {
    run: {
      // No name of an experiment contains a dot, so that no other run has this id. The digest
      // separates verifications in different directories.
      id: `verify.${id}.${digestOf(store).slice(0, 8)}`,
      spec,
      facts,
      plan,
      command: { config: report.where, overrides: [] },
    },
    settings: { ...settings, store },
  }
}

/**
 * Returns the places of the models that were made elsewhere, by the digest of their files: those
 * that the command names, or that the record of the run or the spec has. Throws a UserError if one
 * is in none of them.
 */
async function givenPlaces(
  spec: PublishedRun['spec'],
  { places = {}, where }: FoundReport,
  named: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const rows = spec.methods.flatMap((row) => (row.method === 'weights' ? [row] : []))
  const golds = (spec.gold.given ?? []).map((given, i) => ({ given, from: spec.gold.from?.[i] }))
  const models = [...(spec.original ? [spec.original] : []), ...golds, ...rows]
  if (models.length === 0) return {}
  const { plannedFiles } = await import('../../activities/inputs/given-model.ts')
  const found: Record<string, string> = {}
  for (const { given, from } of models) {
    const files = given ? filesOf(given) : []
    const digest = filesDigest(files)
    const candidates = [...named.map(absolutePath), places[digest], from].flatMap((place) => place ?? [])
    for (const place of candidates) {
      const isHere = await plannedFiles(place, files).then(
        () => true,
        () => false,
      )
      if (isHere) found[digest] = place
      if (isHere) break
    }
    if (found[digest] === undefined)
      throw new UserError([
        {
          file: where,
          message: `the run judges a model from elsewhere, of which ${files.map(({ name, sha256 }) => `${name} (SHA-256 ${sha256})`).join(', ')} was found in no place; name the directory that holds it here with --given`,
        },
      ])
  }
  return found
}

/**
 * Returns where the report's checkpoint is on this machine. That is the place it was read from,
 * unless it was a directory, which `--model-directory` has to name here.
 */
function modelLocation(
  named: string | undefined,
  { model }: PublishedRun['spec'],
  where: string,
): string | undefined {
  if (model.name !== 'pretrained') return undefined
  if (named !== undefined) return absolutePath(named)
  if (model.from !== undefined && isElsewhere(model.from)) return model.from
  const message = `the run starts from a checkpoint in ${model.from ?? 'a directory'}; name the directory that holds it here with --model-directory`
  throw new UserError([{ file: where, message }])
}

function refuseOtherCheckpoint(
  recorded: CheckpointFacts,
  here: CheckpointFacts,
  location: string | undefined,
): void {
  const changed = differences(recorded, here)
  if (changed.length === 0) return
  throw new UserError(
    `the checkpoint in ${location ?? ''} is not that of the report: ${describeChanges(changed)}. Name the right one with --model-directory`,
  )
}

function refuseOtherData(recorded: DatasetFacts, here: DatasetFacts, directory: string): void {
  const changed = differences(recorded, here)
  if (changed.length === 0) return
  const files = recorded.sources.flatMap(({ name, sha256, bytes }): readonly Problem[] => {
    const found = here.sources.find((source) => source.name === name)
    if (found?.sha256 === sha256) return []
    const what = found ? `has ${found.bytes} bytes and the SHA-256 ${found.sha256}` : 'is not among the files'
    const message = `${what}; the report is of one with ${bytes} bytes and the SHA-256 ${sha256}. Name the directory of the right one with --data-directory`
    return [{ file: join(directory, name), message }]
  })
  throw new UserError(
    files.length > 0
      ? files
      : `the data in ${directory} is not that of the report: ${describeChanges(changed)}`,
  )
}

/** Prints the result of a verification. Returns the exit code. */
async function summarise(
  { id, run, signatures, directory, claimed, signer }: Verified,
  ended: Outcome<RunResult>,
  { keep, temporal }: VerifyOptions,
  output: Output,
): Promise<number> {
  const { printLine, answer } = output
  const outcome = await comparedWith(run, directory, ended, temporal)
  switch (outcome.status) {
    case 'completed': {
      const { computed, cached, failed, verification, here } = outcome.result
      for (const { title, reason } of failed) printLine(`${title} failed here: ${reason}`)
      const { showVerification, statusOf } = await import('../output/show-verification.ts')
      for (const line of signatureLines(signatures)) printLine(line)
      showVerification(id, verification, output)
      const notReproducible = otherBytesOf(run, verification)
      for (const title of notReproducible)
        printLine(`${title}: not reproducible: its external program gave other bytes from the same inputs.`)
      if (keep) {
        await writeFile(verdictFile(directory), `${JSON.stringify(verification, null, 2)}\n`)
        printLine(`Kept in ${directory}`)
      } else await rm(directory, { recursive: true, force: true })
      const compared = statusOf(verification)
      const model = recomputedModel(run, verification)
      const isRecorded = !claimed || model === claimed.record.model.after.sha256
      // Equal bytes of a report that is about another model confirm nothing of the record.
      const status = compared === 'verified' && !isRecorded ? 'different' : compared
      if (claimed) {
        printLine(
          isRecorded
            ? 'The model that was computed is that of the certificate, byte for byte.'
            : `The model that was computed has the SHA-256 ${model ?? '(none)'}; that in the record is ${claimed.record.model.after.sha256}.`,
        )
        const [environment] = here.clock.environments
        if (signer) await attest(claimed, { run: id, result: status, model, environment }, signer)
        if (signer)
          printLine(
            `${signer.publicKey.id} attests this in ${join(claimed.folder, certificatePaths.recomputed)}`,
          )
      }
      return answer(exitCodes[status], {
        ...(claimed && {
          recomputed: {
            ledger: claimed.record.ledger.name,
            number: claimed.record.number,
            model: model ?? null,
            same: isRecorded,
          },
        }),
        ...{ id, status, stages: { computed, cached }, failed, verification, signatures },
        ...(notReproducible.length > 0 && { notReproducible }),
      })
    }
    case 'cancelled':
      printLine(`The verification of ${id} was stopped. What is done is kept; the same command goes on.`)
      return answer(1, { id, status: 'cancelled' })
    case 'failed':
      printError(coloursOf(process.stderr).red(`${id} could not be computed again: ${outcome.reason}`))
      printError('What is done is kept; once that is put right, the same command goes on.')
      return answer(1, { id, status: 'failed', error: outcome.reason })
  }
}

/** The digest of the model of the run's first method, as it was computed here. */
function recomputedModel({ plan }: PublishedRun, { stages }: Verification): RecomputedRun['model'] {
  const stage = stages.find(({ key }) => key === plan.candidates[0]?.model?.key)
  return stage?.blobs.find(({ name }) => name === 'model')?.here?.sha256
}

/** Throws a UserError for options that are about certificates, or not about their recomputation. */
function refuseCertificateOptions(target: string, isOfRequest: boolean, options: VerifyOptions): void {
  if (!isOfRequest) {
    const about = {
      proof: '--proof',
      recompute: '--recompute',
      key: '--key',
      signWith: '--sign-with',
    } as const
    for (const [name, option] of Object.entries(about))
      if (options[name as keyof typeof about] !== undefined)
        throw new UserError(`${option} is for the certificate of a deletion request, and ${target} is none`)
  } else if (options.proof !== undefined)
    throw new UserError('--recompute checks no proof; verify the proof by a command of its own')
}

/**
 * The titles of the stages whose external programs gave other bytes than reported, although all of
 * their inputs are the same.
 */
function otherBytesOf({ plan }: PublishedRun, { stages }: Verification): readonly string[] {
  const same = new Set(stages.flatMap(({ key, same }) => (same ? [key] : [])))
  return stagesOf(plan)
    .filter(
      (stage) =>
        isOfProgram(stage) &&
        !same.has(stage.key) &&
        Object.values<StageRef>(stage.inputs).every(({ key }) => same.has(key)),
    )
    .map(({ title }) => title)
}

/**
 * Adds the comparison with the report to the outcome. The outcome is a failure if the new report
 * cannot be read.
 */
async function comparedWith(
  { published }: PublishedRun,
  directory: string,
  outcome: Outcome<RunResult>,
  temporal: string | undefined,
): Promise<Outcome<RunResult & { readonly verification: Verification; readonly here: Published }>> {
  if (outcome.status !== 'completed') return outcome
  try {
    const json = await openArtifacts(storeFor(directory)).reportJson(outcome.result.id)
    if (json === undefined)
      throw new Error(
        `nothing of what was computed is in ${directory}: the workers${temporal === undefined ? '' : ` of ${temporal}`} keep it ` +
          'on a machine of their own. Verify without --temporal and TEMPORAL_ADDRESS',
      )
    const here = readPublished(json, directory)
    const verification = compareWithReport(published, here)
    return { ...outcome, result: { ...outcome.result, verification, here } }
  } catch (error) {
    return { status: 'failed', reason: errorReason(error), notes: outcome.notes }
  }
}
