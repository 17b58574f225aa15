import { join, relative, sep } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification, type VitestPluginContext } from 'vitest/node'

/**
 * Tests that need neither TensorFlow nor a process of their own. They share processes, since the
 * start of a process and the imports take longer than most of them.
 */
const pure = [
  'tests/unit/{common,datasets,docs,experiment,host,report/judgement,signatures,sources,tracking}/**/*.test.ts',
  'tests/unit/report/!(loading).test.ts',
  'tests/unit/artifacts/{copy,format,progress,removal}/**/*.test.ts',
  'tests/unit/unlearning/{outcomes,population,split}/**/*.test.ts',
]

/**
 * Unit tests whose numbers depend on TensorFlow's kernels, of which a CPU has two kinds. They share
 * processes, as loading TensorFlow takes longer than most of them.
 */
const onKernels = [
  'tests/unit/activities/{other-device,stages/shadow}.test.ts',
  'tests/unit/pretrained/reference.test.ts',
  'tests/unit/learning/{graph,data/device-data,data/prepare,model/*,training/*}.test.ts',
  'tests/unit/unlearning/micro-batches.test.ts',
  'tests/unit/unlearning/{methods,probes}/**/*.test.ts',
]

/**
 * Unit tests that replace a module for their process, or that need a process without TensorFlow, so
 * that each needs one of its own.
 */
const alone = [
  'tests/unit/activities/inputs/data-directory.test.ts',
  'tests/unit/cli/plugins/config.test.ts',
  'tests/unit/report/loading.test.ts',
  'tests/unit/worker/idleness.test.ts',
]

/**
 * The files that take longest, the longest first, from 25 s on in a run of all tests on two cores.
 * They begin first, so that no core is idle at the end of a tier.
 */
const longest = [
  'tests/e2e/python-networks.test.ts',
  'tests/e2e/ledger.test.ts',
  'tests/faults/worker.test.ts',
  'tests/faults/servers.test.ts',
  'tests/integration/tracking/delivery.test.ts',
  'tests/e2e/python-programs.test.ts',
  'tests/e2e/up.test.ts',
  'tests/e2e/workflow.test.ts',
  'tests/e2e/command.test.ts',
  'tests/faults/attempts.test.ts',
  'tests/integration/activities/graphs.test.ts',
  'tests/faults/partition.test.ts',
  'tests/faults/sweep.test.ts',
  'tests/faults/secrets.test.ts',
  'tests/e2e/verify.test.ts',
  'tests/integration/infra/worker-image.test.ts',
  'tests/integration/infra/package.test.ts',
  'tests/e2e/ui/page.test.ts',
  'tests/e2e/ui/live.test.ts',
  'tests/integration/artifacts/store/s3-store.test.ts',
  'tests/e2e/sweep.test.ts',
  'tests/integration/tracking/sweep.test.ts',
  'tests/integration/artifacts/copy/copy-store.test.ts',
  'tests/integration/python/package.test.ts',
  'tests/integration/cli/actions/worker.test.ts',
  'tests/e2e/sweep-workflow.test.ts',
  'tests/unit/unlearning/methods/on-resnet.test.ts',
  'tests/integration/workflows/large-run.test.ts',
  'tests/integration/security/temporal-tls.test.ts',
  'tests/e2e/digits.test.ts',
  'tests/e2e/trained.test.ts',
  'tests/e2e/rm.test.ts',
  'tests/integration/cli/output/retries.test.ts',
  'tests/e2e/external-programs.test.ts',
  'tests/integration/pretrained/peft.test.ts',
  'tests/e2e/images.test.ts',
  'tests/integration/telemetry/endpoint.test.ts',
  'tests/e2e/answered-from-store.test.ts',
  'tests/integration/activities/blocked-steps.test.ts',
  'tests/e2e/ledger-workflow.test.ts',
  'tests/e2e/given-places.test.ts',
  'tests/e2e/ui/details.test.ts',
  'tests/integration/cli/actions/doctor.test.ts',
  'tests/e2e/shared-stages.test.ts',
  'tests/e2e/changed-code.test.ts',
  'tests/integration/plugins/run.test.ts',
  'tests/integration/sources/web.test.ts',
  'tests/unit/code/digests.test.ts',
  'tests/unit/activities/stages/judges.test.ts',
  'tests/integration/artifacts/removal/removal.test.ts',
  'tests/integration/activities/planted-leak.test.ts',
  'tests/integration/infra/page.test.ts',
  'tests/integration/ui/live-run.test.ts',
  'tests/unit/unlearning/methods/on-cnn.test.ts',
]

/**
 * Models of tests are small and files run side by side: threads that wait for each other would take
 * the time of other tests.
 */
const oneThread = { TF_NUM_INTRAOP_THREADS: '1' }

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = longest.indexOf(relative(import.meta.dirname, moduleId))
      return index === -1 ? longest.length : index
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}

/**
 * Tiers are transformed from TypeScript once and not each anew, as the modules of this checkout are
 * kept in node_modules. Modules that tests write elsewhere are not kept, nor those with a query.
 */
const keptModules = {
  name: 'zeroshift:kept-modules',
  configureVitest({ experimental_defineCacheKeyGenerator }: VitestPluginContext) {
    const root = join(import.meta.dirname, sep)
    experimental_defineCacheKeyGenerator(({ id }) =>
      id.startsWith(root) && !id.includes('?') ? undefined : false,
    )
  },
}

interface Tier {
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Whether each file has a process of its own. */
  readonly isolate?: boolean
  /** The number of files that run at the same time. */
  readonly files?: number
  /** Whether files share servers or results (`tests/support/shared.ts`). */
  readonly sharing?: boolean
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Describes a tier of tests. `tests/run.mjs` runs the tiers in the order below, quick ones first.
 */
const tier = (
  name: string,
  testTimeout: number,
  {
    include = [`tests/${name}/**/*.test.ts`],
    exclude = [],
    isolate = true,
    files = 2,
    sharing = false,
    env,
  }: Tier = {},
) => ({
  test: {
    name,
    include: [...include],
    exclude: [...exclude],
    pool: 'forks' as const,
    isolate,
    maxWorkers: files,
    setupFiles: ['tests/support/setup.ts'],
    globalSetup: sharing ? ['tests/support/tier-setup.ts'] : [],
    testTimeout,
    hookTimeout: testTimeout,
    env: {
      // Failures that tests provoke are not logged.
      TF_CPP_MIN_LOG_LEVEL: '2',
      ZEROSHIFT_LOG: 'error',
      ZEROSHIFT_COMMAND: './zeroshift',
      ...env,
    },
  },
})

export default defineConfig({
  plugins: [keptModules],
  test: {
    experimental: { fsModuleCache: true },
    sequence: { sequencer: LongestFirst },
    projects: [
      tier('pure', 120_000, { include: pure, isolate: false }),
      tier('kernels', 120_000, { include: onKernels, isolate: false, env: oneThread }),
      tier('unit', 120_000, {
        exclude: [...pure, ...onKernels, ...alone],
        isolate: false,
        env: oneThread,
      }),
      tier('alone', 120_000, { include: alone }),
      // The other tiers compute with oneDNN, the default, which some processors and users lack.
      tier('onednn-off', 300_000, {
        include: [...onKernels, 'tests/integration/activities/out-of-memory.test.ts'],
        // Which samples a method reads does not depend on the kernels.
        exclude: ['tests/unit/unlearning/methods/{methods,samples-seen}.test.ts'],
        isolate: false,
        env: { TF_ENABLE_ONEDNN_OPTS: '0' },
      }),
      // These files spend half of their time waiting for servers, timers and other processes.
      tier('integration', 300_000, { isolate: false, files: 4, sharing: true }),
      tier('e2e', 600_000, { isolate: false, files: 4, sharing: true, env: oneThread }),
      tier('faults', 600_000, { files: 4, sharing: true }),
    ],
  },
})
