import { randomUUID } from 'node:crypto'
import type { Settings } from '../../experiment/spec/settings.ts'
import { MlflowClient } from '../../tracking/mlflow.ts'

/** The tag of the runs that this test makes and deletes. */
const MARK = 'zeroshift.doctor'

/**
 * Performs each operation of a run on a tracking server once: it creates a run, logs a batch, reads
 * it and deletes the run. Returns the server's address without credentials. Throws an error if an
 * operation fails.
 */
export async function tryTracking({
  uri,
  experiment = 'zeroshift-doctor',
}: NonNullable<Settings['tracking']>): Promise<string> {
  const client = new MlflowClient(uri, { retries: 1 })
  const mark = randomUUID()
  const startTime = Date.now()
  const { run } = await client.createRun(await client.experiment(experiment), {
    ...{ name: 'doctor', startTime, mark: MARK },
    tags: { [MARK]: mark },
  })
  try {
    await client.log(run.id, {
      params: { doctor: mark },
      metrics: [{ key: 'doctor', value: 1, timestamp: startTime, step: 1 }],
    })
    const read = await client.run(run.id)
    if (read?.params.doctor !== mark)
      throw new Error(`MLflow at ${client.address} took a batch of a run, and does not have it`)
  } finally {
    await client.deleteRun(run.id)
  }
  if (await client.run(run.id)) throw new Error(`MLflow at ${client.address} did not delete a run`)
  return client.address
}
