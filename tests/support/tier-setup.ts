import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { mlflowServer, type TestMlflow } from './mlflow.ts'
import { serving } from './serving.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A directory for results and servers that files of the tier share. */
    readonly sharedDirectory: string
    /** Answers with the URL of the MLflow server that files of the tier share. */
    readonly mlflowStarter: string
  }
}

/**
 * Prepares what the files of a tier share. Vitest's own process executes this once for the tier.
 * The MLflow server starts when the first file asks for it, and is stopped after the last file.
 */
export default async function prepareTier(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-tier-'))
  let mlflow: Promise<TestMlflow> | undefined
  const starter = await serving((_, answer) => {
    // Tests of deliveries that race need two processes that answer.
    mlflow ??= mlflowServer({ workers: 2 })
    mlflow.then(
      ({ url }) => answer.end(url),
      (error: unknown) => answer.writeHead(500).end(String(error)),
    )
  })
  project.provide('sharedDirectory', directory)
  project.provide('mlflowStarter', starter.url)
  return async () => {
    await starter.close()
    await mlflow?.then((server) => server.stop()).catch(() => undefined)
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
  }
}
