import { defineConfig } from 'vitest/config'

/** Tiers, quick first: `tests/run.mjs` runs them in this order. Each file gets its own process (TensorFlow is native). */
const tier = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`tests/${name}/**/*.test.ts`],
    pool: 'forks' as const,
    maxWorkers: 2,
    testTimeout,
    hookTimeout: testTimeout,
    // Failures that tests provoke are no news.
    env: { TF_CPP_MIN_LOG_LEVEL: '2', ZEROSHIFT_LOG: 'error' },
  },
})

export default defineConfig({
  test: {
    projects: [
      tier('unit', 120_000),
      tier('integration', 300_000),
      tier('e2e', 600_000),
      tier('faults', 600_000),
    ],
  },
})
