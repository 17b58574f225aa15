import { defineConfig } from 'vitest/config'

/** Tests whose numbers are those of TensorFlow's kernels, of which there are two kinds on a CPU. */
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
  readonly env?: Readonly<Record<string, string>>
}

/** Tiers, quick first: `tests/run.mjs` runs them in this order. Each file gets its own process (TensorFlow is native). */
const tier = (
  name: string,
  testTimeout: number,
  { include = [`tests/${name}/**/*.test.ts`], env }: Tier = {},
) => ({
  test: {
    name,
    include: [...include],
    pool: 'forks' as const,
    maxWorkers: 2,
    testTimeout,
    hookTimeout: testTimeout,
    // Failures that tests provoke are no news.
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ZEROSHIFT_LOG: 'error', ...env },
  },
})

export default defineConfig({
  test: {
    projects: [
      tier('unit', 120_000),
      // The other tiers compute with oneDNN, as is the default: some processors and users do without.
      tier('onednn-off', 300_000, { include: onKernels, env: { TF_ENABLE_ONEDNN_OPTS: '0' } }),
      tier('integration', 300_000),
      tier('e2e', 600_000),
      tier('faults', 600_000),
    ],
  },
})
