import { defineConfig } from 'vitest/config'

/** Tests whose numbers depend on TensorFlow's kernels, of which a CPU has two kinds. */
const onKernels = [
  'tests/unit/activities/{other-device,stages/shadow}.test.ts',
  'tests/unit/pretrained/reference.test.ts',
  'tests/unit/learning/{graph,data/device-data,data/prepare,model/*,training/*}.test.ts',
  'tests/unit/unlearning/micro-batches.test.ts',
  'tests/unit/unlearning/{methods,probes}/**/*.test.ts',
  'tests/integration/activities/out-of-memory.test.ts',
]

interface Tier {
  readonly include?: readonly string[]
  /** The number of files that run at the same time. */
  readonly files?: number
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Describes a tier of tests. `tests/run.mjs` runs the tiers in the order below, quick ones first.
 * Each file runs in a process of its own, since TensorFlow is native code.
 */
const tier = (
  name: string,
  testTimeout: number,
  { include = [`tests/${name}/**/*.test.ts`], files = 2, env }: Tier = {},
) => ({
  test: {
    name,
    include: [...include],
    pool: 'forks' as const,
    maxWorkers: files,
    testTimeout,
    hookTimeout: testTimeout,
    // Failures that tests provoke are not logged.
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ZEROSHIFT_LOG: 'error', ...env },
  },
})

export default defineConfig({
  test: {
    projects: [
      tier('unit', 120_000),
      // The other tiers compute with oneDNN, the default, which some processors and users lack.
      tier('onednn-off', 300_000, { include: onKernels, env: { TF_ENABLE_ONEDNN_OPTS: '0' } }),
      // These files spend half of their time waiting for servers, timers and other processes.
      tier('integration', 300_000, { files: 4 }),
      tier('e2e', 600_000, { files: 4 }),
      tier('faults', 600_000, { files: 3 }),
    ],
  },
})
