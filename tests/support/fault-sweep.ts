import { openArtifacts } from '../../artifacts/artifacts.ts'
import { prepareSweep, readSweep } from '../../cli/launch/prepare-sweep.ts'
import { saveSweep } from '../../cli/launch/save-sweep.ts'
import type { SweepInput, SweepResult } from '../../experiment/sweep/sweep.ts'
import { sweepType, workflowId } from '../../workflows/names.ts'
import type { Site } from './durable.ts'
import { tinyBase, writeSweep } from './tiny-sweep.ts'

/** A sweep of six cells whose stages take seconds; answers its file. */
export function sixCells(directory: string): string {
  return writeSweep(
    directory,
    'grid: { "methods[0].rank": [1, 2, 4], "methods[0].target": [retained-mean, random-retained] }\nset: { training.epochs: 30, "methods[0].steps": 200, heartbeatSeconds: 2, checkpointSeconds: 0.4 }',
    tinyBase,
  )
}

/**
 * Writes a sweep with the given number of cells, each of which fine-tunes the same original, and
 * returns its file.
 */
export function manyCells(
  directory: string,
  { cells, epochs, heartbeatSeconds }: Readonly<Record<'cells' | 'epochs' | 'heartbeatSeconds', number>>,
): string {
  return writeSweep(
    directory,
    `
random: { samples: ${cells}, of: { "methods[0].optimizer.learningRate": { from: 1e-3, to: 1e-1, scale: log } } }
set: { "methods[0].optimizer.name": sgd, heartbeatSeconds: ${heartbeatSeconds}, checkpointSeconds: 1 }`,
    `
name: tiny
data: { name: digits }
split: { kind: class, classes: ['3'] }
model: { name: mlp, hidden: [16] }
training: { epochs: 10 }
gold: { models: 1 }
methods: [{ method: finetune, epochs: ${epochs} }]
`,
  )
}

/** Prepares a sweep in a store, and starts it. */
export async function startSweep(site: Site, config: string, store: string, maxParallel = 3) {
  const asked = { config, overrides: [], store }
  const prepared = await prepareSweep(asked, await readSweep(asked))
  await saveSweep(openArtifacts(prepared.store), prepared)
  const { id } = prepared.sweep
  const handle = await site.client.workflow.start<(input: SweepInput) => Promise<SweepResult>>(sweepType, {
    workflowId: workflowId(id),
    taskQueue: 'zeroshift',
    // It continues as new every few cells.
    args: [{ id, store: prepared.store, maxParallel, historyEvents: 60 }],
  })
  return { id, store: prepared.store, result: handle.result() }
}
