import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { presentClusterTools } from '../../../infra/cluster-tools.mjs'
import { GRACE_SECONDS } from '../../../worker/worker.ts'
import { deploymentName, queues } from '../../../workflows/names.ts'
import { zeroshift } from '../../support/command.ts'

const tools = presentClusterTools()
const why = tools ? '' : ' (skipped without Helm: node infra/bootstrap.mjs --with-cluster-tools)'
const chart = fileURLToPath(new URL('../../../infra/helm/zeroshift-workers', import.meta.url))
const valuesIn = (name: string) => [
  '--values',
  fileURLToPath(new URL(`values/${name}.yaml`, import.meta.url)),
]

/** The values with which the chart is rendered. Each set renders other parts of it. */
const installations = {
  defaults: [],
  gpu: valuesIn('gpu'),
  fixed: valuesIn('fixed'),
  guarded: valuesIn('guarded'),
}
const names = Object.keys(installations) as (keyof typeof installations)[]

interface Container {
  readonly image: string
  readonly args: readonly string[]
  readonly ports?: readonly object[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly resources: { readonly requests: object; readonly limits: Readonly<Record<string, unknown>> }
  readonly securityContext: object
  readonly volumeMounts: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
  }[]
}
interface Pod {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly containers: readonly [Container]
    readonly restartPolicy: string
    readonly serviceAccountName: string
    readonly terminationGracePeriodSeconds: number
    readonly tolerations?: readonly { readonly key: string }[]
    readonly volumes: readonly { readonly secret?: { readonly secretName: string } }[]
  }
}
interface Resource {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: {
    readonly template?: Pod
    readonly jobTargetRef?: { readonly template: Pod }
    readonly triggers?: readonly { readonly metadata: Readonly<Record<string, string>> }[]
    readonly replicas?: number
  }
}

/** Without a cluster to ask, Helm is told which Kubernetes it is for. */
function helm(...args: readonly string[]) {
  return spawnSync(tools?.helm ?? '', [...args, '--kube-version', '1.34.0'], { encoding: 'utf8' })
}

function rendered(options: readonly string[]): string {
  const { status, stdout, stderr } = helm(
    'template',
    'zeroshift',
    chart,
    '--namespace',
    'zeroshift',
    ...options,
  )
  if (status !== 0) throw new Error(stderr)
  return stdout
}

function resourcesIn(options: readonly string[]): readonly Resource[] {
  return parseAllDocuments(rendered(options)).map((document) => document.toJS() as Resource)
}

const podOf = ({ spec }: Resource) => spec?.template ?? spec?.jobTargetRef?.template
const podsIn = (options: readonly string[]) => resourcesIn(options).flatMap((found) => podOf(found) ?? [])

/** The errors of kubeconform about manifests. The text is empty when they match the schemas. */
function problems(manifests: string): string {
  const schemas = `${tools?.schemas}/{{.ResourceKind}}{{.KindSuffix}}.json`
  const { status, stdout, stderr } = spawnSync(
    tools?.kubeconform ?? '',
    ['-strict', '-schema-location', schemas],
    { encoding: 'utf8', input: manifests },
  )
  return status === 0 ? '' : stdout + stderr
}

describe.skipIf(!tools)(`the chart${why}`, () => {
  test.each(names)('keeps to the schemas of Kubernetes and KEDA: %s', (name) => {
    expect(problems(rendered(installations[name]))).toBe('')
    expect(helm('lint', '--strict', chart, ...installations[name]).stdout).toContain('0 chart(s) failed')
  })

  test.each(['terminationGracePeriodSeconds', 'pendingPodConditions', 'readOnlyRootFilesystem'])(
    'the schemas know when %s is misspelt',
    (field) => {
      expect(problems(rendered([]).replace(field, `${field}s`))).toContain(`${field}s`)
    },
  )

  test('makes what each installation asks for, and nothing else', () => {
    const kinds = (name: (typeof names)[number]) =>
      resourcesIn(installations[name])
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
        .sort()
    const control = ['Deployment zeroshift-control', 'PodDisruptionBudget zeroshift-control']
    const own = ['NetworkPolicy zeroshift', 'ServiceAccount zeroshift']
    expect(kinds('defaults')).toEqual([...control, ...own, 'ScaledJob zeroshift-cpu'].sort())
    expect(kinds('gpu')).toEqual([...control, ...own, 'ScaledJob zeroshift-gpu'].sort())
    expect(kinds('fixed')).toEqual(
      [...control, 'Deployment zeroshift-cpu', 'PodDisruptionBudget zeroshift-cpu'].sort(),
    )
  })

  test.each(names)(
    'no pod is root, writes outside its volumes or can ask Kubernetes for anything: %s',
    (name) => {
      const pods = podsIn(installations[name])
      expect(pods.length).toBeGreaterThanOrEqual(2)
      for (const { spec } of pods) {
        expect(spec).toMatchObject({
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        })
        const [{ securityContext, volumeMounts, resources }] = spec.containers
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        const written = volumeMounts.filter(({ readOnly }) => readOnly !== true)
        expect(written.map(({ mountPath }) => mountPath)).toEqual(['/tmp', '/cache'])
        expect(Object.keys(resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory']))
        expect(resources.limits).toHaveProperty('memory')
      }
    },
  )

  test.each(names)('no pod has keys in its manifest: %s', (name) => {
    const variables = podsIn(installations[name]).flatMap(({ spec }) => spec.containers[0].env)
    const secret = variables.filter(({ name, value }) => /KEY_ID|SECRET|TOKEN|PASSWORD/.test(name) && value)
    expect(secret.map(({ name }) => name).filter((name) => name !== 'ZEROSHIFT_S3_SSE_KMS_KEY_ID')).toEqual(
      [],
    )
  })

  test.each(names)('every pod has much longer than a worker takes to hand over: %s', (name) => {
    for (const { spec } of podsIn(installations[name]))
      expect(spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(GRACE_SECONDS + 30)
  })

  test('a worker finds the secrets that its variables name, and KEDA looks into the same namespace', () => {
    for (const { spec } of podsIn(installations.guarded)) {
      const [{ env, volumeMounts }] = spec.containers
      const variables = new Map(env.map(({ name, value }) => [name, value]))
      const files = [...variables].filter(([name]) => name.endsWith('_FILE')).map(([, value = '']) => value)
      expect(files).toHaveLength(6)
      for (const file of files)
        expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain(file.replace(/\/[^/]*$/, ''))
      expect(spec.volumes.flatMap(({ secret }) => secret?.secretName ?? []).sort()).toEqual([
        'lab-key',
        'payload-keys',
        'temporal-ca',
        'temporal-key',
        'worker-certificate',
      ])
      expect(variables.get('TEMPORAL_NAMESPACE')).toBe('lab')
      expect(variables.get('ZEROSHIFT_ALLOWED_STORES')).toBe('s3://lab/a,s3://lab/b')
      expect(variables.has('ZEROSHIFT_ALLOWED_SOURCES')).toBe(false)
    }
    const triggers = resourcesIn(installations.guarded).flatMap(({ spec }) => spec?.triggers ?? [])
    expect(triggers.map(({ metadata }) => metadata.namespace)).toEqual(['lab'])
  })

  test('a job is never ended by scaling: KEDA only starts it, and it ends itself', () => {
    for (const name of ['defaults', 'gpu'] as const)
      for (const { spec } of resourcesIn(installations[name]).filter(({ kind }) => kind === 'ScaledJob')) {
        expect(spec).toMatchObject({
          // An upgrade leaves running jobs alone; the default ends them.
          rollout: { strategy: 'gradual' },
          // The backlog is without the stages that are being computed.
          scalingStrategy: { strategy: 'accurate', pendingPodConditions: ['Ready'] },
        })
        const pod = spec.jobTargetRef?.template
        expect(pod?.spec.restartPolicy).toBe('Never')
        expect(pod?.spec.containers[0].args.some((arg) => /^--exit-when-idle=\d+$/.test(arg))).toBe(true)
        expect(pod?.metadata.annotations).toMatchObject({
          'karpenter.sh/do-not-disrupt': 'true',
          'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
        })
      }
  })

  test('queues and the versioned deployment are called what workers call them', () => {
    const queuesOf = (name: (typeof names)[number]) =>
      podsIn(installations[name]).flatMap(({ spec }) =>
        spec.containers[0].args.flatMap((arg) => (arg.startsWith('--queue=') ? arg.slice(8) : [])),
      )
    for (const name of names) expect(new Set(queuesOf(name))).toEqual(new Set(queues))
    const job = (name: 'defaults' | 'gpu') =>
      resourcesIn(installations[name]).find(({ kind }) => kind === 'ScaledJob')?.spec.triggers?.[0]?.metadata
    expect(job('defaults')).toEqual({
      ...{ endpoint: 'temporal-frontend.temporal.svc.cluster.local:7233', namespace: 'default' },
      ...{ taskQueue: 'zeroshift-train', queueTypes: 'activity', targetQueueSize: '1' },
    })
    expect(job('gpu')).toMatchObject({
      workerDeploymentName: deploymentName,
      workerDeploymentBuildId: '1a2b3c4',
    })
  })

  test('every option that a pod gives its worker is one that the command knows', async () => {
    const { stdout } = await zeroshift(chart, 'worker', '--help').ended
    const given = (['defaults', 'gpu', 'fixed'] as const).flatMap((name) =>
      podsIn(installations[name]).flatMap(({ spec }) => spec.containers[0].args),
    )
    expect(given).toContain('worker')
    for (const option of given.filter((arg) => arg !== 'worker'))
      expect(stdout).toContain(`${option.split('=')[0]} <`)
  })

  test('workers show their metrics where a port is given, and listen to nobody where none is', () => {
    const policyIn = (name: (typeof names)[number]) =>
      resourcesIn(installations[name]).find(({ kind }) => kind === 'NetworkPolicy')?.spec
    for (const { metadata, spec } of podsIn(installations.gpu)) {
      const [{ args, ports }] = spec.containers
      expect(args).toEqual(expect.arrayContaining(['--metrics-port=9464', '--metrics-host=0.0.0.0']))
      expect(ports).toEqual([{ name: 'metrics', containerPort: 9464, protocol: 'TCP' }])
      expect(metadata.annotations).toMatchObject({
        ...{ 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9464' },
      })
    }
    expect(policyIn('gpu')).toMatchObject({ ingress: [{ ports: [{ port: 9464, protocol: 'TCP' }] }] })
    for (const { spec } of podsIn(installations.defaults)) expect(spec.containers[0].ports).toBeUndefined()
    expect(policyIn('defaults')).not.toHaveProperty('ingress')
  })

  test('a pod of the GPU pool asks for a GPU and says so to its worker, and runs on spot machines', () => {
    const pod = podsIn(installations.gpu).find(({ spec }) => spec.restartPolicy === 'Never')
    const container = pod?.spec.containers[0]
    expect(container?.resources.limits['nvidia.com/gpu']).toBe(1)
    expect(container?.args).toContain('--device=gpu')
    expect(container?.image).toMatch(/@sha256:0{64}$/)
    expect(pod?.spec.tolerations?.map(({ key }) => key)).toEqual(
      expect.arrayContaining(['nvidia.com/gpu', 'cloud.google.com/gke-spot']),
    )
  })

  test.each([
    ['a misspelt value', ['--set', 'control.replica=3'], /replica/],
    [
      'a grace period that is no longer than the worker needs',
      ['--set', 'control.terminationGracePeriodSeconds=5'],
      /terminationGracePeriodSeconds/,
    ],
    ['a port that is none', ['--set', 'metrics.port=80'], /port/],
    ['an address without a port', ['--set', 'temporal.address=temporal'], /address/],
    ['a digest that is none', ['--set', 'images.cpu.digest=latest'], /digest/],
  ])('%s is refused by name', (_, options, message) => {
    const { status, stderr } = helm('template', 'zeroshift', chart, ...options)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(message)
  })
})
