import { openArtifacts } from '../../artifacts/artifacts.ts'
import { prepare } from '../../cli/launch/prepare.ts'
import { readConfig } from '../../cli/launch/read-config.ts'
import { storePrograms } from '../../cli/launch/store-programs.ts'
import type { StageKind } from '../../experiment/stages/stage.ts'
import { computeStages, type ComputedPlan } from './computed-plan.ts'
import { fileDirectory } from './directories.ts'

/**
 * Computes all stages of a config file in this process, with its external programs and without
 * Temporal. `bodies`: activities that take the place of others.
 */
export async function computeConfig(
  config: string,
  bodies: Partial<Record<StageKind, unknown>> = {},
): Promise<ComputedPlan> {
  const source = { config, overrides: [], store: fileDirectory() }
  const input = await prepare(source, await readConfig(source))
  const artifacts = openArtifacts(source.store)
  await storePrograms(artifacts, input)
  return computeStages(input.run.plan, artifacts, input.settings, bodies)
}
