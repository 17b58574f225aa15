import { environmentHere } from '../../activities/runtime/environment.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { signStage } from '../../artifacts/stored-signatures.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import type { StageOf } from '../../experiment/stages/stage.ts'
import { signingKey } from '../../signatures/setting.ts'
import { packedProgram } from './program-files.ts'

/**
 * Stores the files of a run's external programs, as results of the stages that name them, so that
 * every worker has them and a copy of the store contains them. The files are read from the folder
 * of the run's config unless the store has them. Throws a UserError.
 */
export async function storePrograms(artifacts: Artifacts, { run }: Pick<RunInput, 'run'>): Promise<void> {
  for (const stage of run.plan.programs ?? []) {
    if (await artifacts.complete(stage)) continue
    const { files } = stage.params
    await commitProgram(
      artifacts,
      stage,
      files.length > 0 ? await packedProgram(run.command.config, files) : undefined,
    )
  }
}

/**
 * Stores the files of a run's external programs as another store has them. Returns the stages whose
 * files that store lacks.
 */
export async function copyPrograms(
  from: Artifacts,
  to: Artifacts,
  { run }: Pick<RunInput, 'run'>,
): Promise<readonly StageOf<'program'>[]> {
  const missing: StageOf<'program'>[] = []
  for (const stage of run.plan.programs ?? []) {
    const manifest = await from.complete(stage)
    if (!manifest) missing.push(stage)
    else {
      const { files } = manifest.outputs
      await commitProgram(to, stage, files && (await from.getBlob(files)))
    }
  }
  return missing
}

/** Commits the result of a stage. `packed` is undefined for a program without files. */
async function commitProgram(
  artifacts: Artifacts,
  stage: StageOf<'program'>,
  packed: Uint8Array | undefined,
): Promise<void> {
  const { kind, key, version, code, params, inputs } = stage
  const manifest: ManifestOf<'program'> = {
    ...{ kind, key, version, params, inputs, inputDigests: {} },
    ...(code !== undefined && { code }),
    outputs: packed ? { files: await artifacts.putBlob(packed) } : {},
    metrics: {
      files: params.files.length,
      bytes: params.files.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    clock: {
      seconds: 0,
      finishedAt: new Date().toISOString(),
      environment: environmentHere(undefined),
    },
  }
  const signer = signingKey()
  if (signer) await signStage(artifacts, manifest, 'computed', signer)
  await artifacts.commit(manifest)
}
