import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { digestOf } from '../../common/canonical.ts'
import type { CheckpointFacts } from '../../experiment/models/pretrained.ts'
import type { DatasetFacts } from '../../experiment/spec/dataset.ts'
import { changedHere, differences } from '../../common/differences.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import { isElsewhere } from '../../experiment/spec/spec.ts'
import { runId, type RunInput, type RunResult } from '../../experiment/records/run.ts'
import { plannedAgain, readPublished, type PublishedRun } from '../../report/published.ts'
import { compareWithReport } from '../../report/verification.ts'
import { answering, executeWorkflow, type ExecuteOptions } from '../launch/execute-workflow.ts'
import { findReport, type FoundReport, type Wanted } from '../workspace/find-report.ts'
import { publicKeysIn } from '../workspace/key-files.ts'
import { absolute, home, storeFor } from '../workspace/workspace.ts'
import { inspecting } from '../launch/prepare.ts'
import { coloursOf, printError } from '../output/print.ts'
import {
  judgeReportSignatures,
  missingSignature,
  signatureLines,
  type JudgedSignatures,
} from '../workspace/report-signatures.ts'
import { runJob, type Ends } from '../launch/run-job.ts'
import type { VerificationStatus } from '../output/show-verification.ts'
import type { Output } from '../output/output.ts'

export interface VerifyOptions extends Omit<ExecuteOptions, 'detach'>, Wanted {
  readonly dataDirectory?: string
  readonly modelDirectory?: string
  readonly keep?: true
  /** Files of public keys: one of them must have signed the report. */
  readonly requireSignature?: readonly string[]
}

/** 2 is a mistake in the input. */
const exitCodes: Readonly<Record<VerificationStatus, number>> = {
  verified: 0,
  different: 1,
  'within-floor': 3,
}

/** `zeroshift verify REPORT`: the run is computed again from what its report says, and compared. Answers the exit code. */
export async function verify(target: string, options: VerifyOptions): Promise<number> {
  return answering(options, (io) => attempt(target, options, io))
}

async function attempt(target: string, options: VerifyOptions, io: Output): Promise<number> {
  const keys = await publicKeysIn(options.requireSignature)
  const report = await findReport(target, options)
  const { changedCode, codeNames } = await import('../../activities/runtime/code-digests.ts')
  const published = readPublished(report.text, report.where)
  const run = plannedAgain(published, report.where, await changedCode(codeNames))
  const id = runId(run.spec.name, run.plan)
  if (options.run !== undefined && options.run !== id)
    throw new UserError([
      { file: report.where, message: `this is the report of ${id}, not of ${options.run}` },
    ])
  const signatures = judgeReportSignatures(report.signatures, id, published, keys)
  const refusal = keys.length > 0 ? missingSignature(signatures, keys) : undefined
  if (refusal !== undefined) {
    const { red } = coloursOf(process.stderr)
    printError(red(`${id}: ${refusal}. Nothing was computed.`))
    return io.answer(1, { id, status: 'unsigned', error: refusal, signatures })
  }
  // A store of its own: nothing that was computed before may stand for what is computed now.
  const directory = resolve(home, 'verify', id)
  return executeWorkflow(options, io, storeFor(directory), async () => {
    const input = await recomputation(run, id, directory, report, options, io)
    // What a verification left that was to be kept is no beginning of this one.
    if (existsSync(verdictIn(directory))) await rm(directory, { recursive: true })
    return runJob(input, endsOf(run, id, directory, signatures, options))
  })
}

const verdictIn = (directory: string) => join(directory, 'verification.json')

/** The run as its report describes it, on the data of this machine. Throws a UserError where the data is another. */
async function recomputation(
  { spec, facts, plan }: PublishedRun,
  id: string,
  directory: string,
  report: FoundReport,
  options: VerifyOptions,
  { say }: Output,
): Promise<RunInput> {
  const { findDataDirectory } = await import('../../activities/inputs/data-directory.ts')
  const { inspectDataset } = await import('../../datasets/index.ts')
  const named = options.dataDirectory ?? report.dataDirectory
  const model = modelPlace(options.modelDirectory ?? report.modelDirectory, spec, report.where)
  const settings = {
    ...(named !== undefined && { dataDirectory: absolute(named) }),
    ...(model !== undefined && { modelDirectory: model }),
  }
  const data = await findDataDirectory(spec.data, settings, say)
  refuseOtherData(facts, await inspectDataset(spec.data, data), data)
  if (spec.model.name === 'pretrained')
    refuseOtherCheckpoint(checkpointOf(spec.model), (await inspecting(say).checkpoint(settings)).facts, model)
  const store = storeFor(directory)
  return {
    run: {
      // No experiment has a dot in its name, so that no run has this id; and directories do not share a verification.
      id: `verify.${id}.${digestOf(store).slice(0, 8)}`,
      spec,
      facts,
      plan,
      command: { config: report.where, overrides: [] },
    },
    settings: { ...settings, store },
  }
}

/** Where the report's checkpoint is here: what it was read from, unless that was a directory of the machine it ran on. */
function modelPlace(
  named: string | undefined,
  { model }: PublishedRun['spec'],
  where: string,
): string | undefined {
  if (model.name !== 'pretrained') return undefined
  if (named !== undefined) return absolute(named)
  if (model.from !== undefined && isElsewhere(model.from)) return model.from
  const message = `the run starts from a checkpoint in ${model.from ?? 'a directory'}; name the directory that holds it here with --model-directory`
  throw new UserError([{ file: where, message }])
}

function refuseOtherCheckpoint(
  recorded: CheckpointFacts,
  here: CheckpointFacts,
  place: string | undefined,
): void {
  const changed = differences(recorded, here)
  if (changed.length === 0) return
  throw new UserError(
    `the checkpoint in ${place ?? ''} is not that of the report: ${changedHere(changed)}. Name the right one with --model-directory`,
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
    files.length > 0 ? files : `the data in ${directory} is not that of the report: ${changedHere(changed)}`,
  )
}

function endsOf(
  { published }: PublishedRun,
  id: string,
  directory: string,
  signatures: JudgedSignatures,
  { keep, temporal }: VerifyOptions,
): Ends {
  return {
    async completed(result: RunResult, io: Output) {
      const json = await openArtifacts(storeFor(directory)).reportJson(result.id)
      if (json === undefined)
        throw new Error(
          `nothing of what was computed is in ${directory}: the workers${temporal === undefined ? '' : ` of ${temporal}`} keep it ` +
            'on a machine of their own. Verify without --temporal and TEMPORAL_ADDRESS',
        )
      const verification = compareWithReport(published, readPublished(json, directory))
      const { computed, cached, failed } = result
      for (const { title, reason } of failed) io.say(`${title} failed here: ${reason}`)
      const { showVerification, statusOf } = await import('../output/show-verification.ts')
      for (const line of signatureLines(signatures)) io.say(line)
      showVerification(id, verification, io)
      if (keep) {
        await writeFile(verdictIn(directory), `${JSON.stringify(verification, null, 2)}\n`)
        io.say(`Kept in ${directory}`)
      } else await rm(directory, { recursive: true, force: true })
      const status = statusOf(verification)
      return io.answer(exitCodes[status], {
        ...{ id, status, stages: { computed, cached }, failed, verification, signatures },
      })
    },

    cancelled(_, { say, answer }) {
      say(`The verification of ${id} was stopped. What is done is kept; the same command goes on.`)
      return answer(1, { id, status: 'cancelled' })
    },

    failed(_, reason, { answer }) {
      const { red } = coloursOf(process.stderr)
      printError(red(`${id} could not be computed again: ${reason}`))
      printError('What is done is kept; once that is put right, the same command goes on.')
      return answer(1, { id, status: 'failed', error: reason })
    },
  }
}
